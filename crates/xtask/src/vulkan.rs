//! A Vulkan driver, for the tests of the GPU's kernels.

use std::path::Path;

use crate::{Result, apt, project::Project};

const PACKAGES: [&str; 2] = ["libvulkan1", "mesa-vulkan-drivers"];

/// Where Vulkan's loader looks for drivers on Linux.
const DRIVERS: [&str; 3] = ["/usr/share/vulkan/icd.d", "/usr/local/share/vulkan/icd.d", "/etc/vulkan/icd.d"];

/// Makes sure that there is a driver on Linux, installing Debian's Mesa where there is none: it brings one that
/// imitates a GPU on the processor. Other systems bring Metal or DX12.
pub fn ensure(project: &Project) -> Result<()> {
    if !cfg!(target_os = "linux") || DRIVERS.iter().any(|folder| holds_a_driver(Path::new(folder))) {
        return Ok(());
    }
    apt::install(project, "A Vulkan driver", &PACKAGES)
}

fn holds_a_driver(folder: &Path) -> bool {
    let files = folder.read_dir().into_iter().flatten().flatten();
    files.into_iter().any(|file| file.path().extension().is_some_and(|extension| extension == "json"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_driver_is_a_json_file() {
        let folder = std::env::temp_dir().join(format!("beitscope-vulkan-{}", std::process::id()));
        std::fs::create_dir_all(&folder).unwrap();
        assert!(!holds_a_driver(&folder));
        std::fs::write(folder.join("driver.json"), "{}").unwrap();
        assert!(holds_a_driver(&folder));
        std::fs::remove_dir_all(&folder).unwrap();
        assert!(!holds_a_driver(&folder));
    }
}
