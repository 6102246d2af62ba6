//! Where a machine keeps its Vulkan driver, and the ways to load it: machines that compute often have NVIDIA's driver
//! without Vulkan's loader, without the file that names the driver to the loader, or without the X11 libraries that the
//! driver links.

use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

/// Folders of the files that name drivers, below the root.
const MANIFESTS: [&str; 8] = [
    "etc/vulkan/icd.d",
    "usr/share/vulkan/icd.d",
    "usr/local/share/vulkan/icd.d",
    "usr/local/etc/vulkan/icd.d",
    "usr/local/nvidia/share/vulkan/icd.d",
    "usr/local/nvidia/etc/vulkan/icd.d",
    "opt/nvidia/share/vulkan/icd.d",
    "run/opengl-driver/share/vulkan/icd.d",
];

/// Folders of libraries, below the root.
const LIBRARIES: [&str; 11] = [
    "lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu",
    "usr/lib/x86_64-linux-gnu/nvidia/current",
    "usr/lib64",
    "usr/lib64/nvidia",
    "usr/lib",
    "usr/lib/nvidia",
    "usr/local/nvidia/lib64",
    "usr/local/nvidia/lib",
    "opt/nvidia/lib",
    "run/opengl-driver/lib",
];

/// The libraries of NVIDIA's driver that implement Vulkan. The second links no X11.
const NVIDIA: [&str; 2] = ["libGLX_nvidia.so.0", "libEGL_nvidia.so.0"];

/// A Vulkan driver.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Driver {
    what: String,
    /// What `VK_DRIVER_FILES` is set to.
    manifest: PathBuf,
    /// Where the libraries are that it links, if that is known.
    libraries: Option<PathBuf>,
}

/// A way to load a driver.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    /// For the report.
    pub what: String,
    /// To be set for the process that uses the GPU.
    pub environment: Vec<(&'static str, OsString)>,
}

/// What is searched, and what is at hand.
#[derive(Clone, Debug, Default)]
pub struct Places {
    /// `/` but for tests.
    pub root: PathBuf,
    /// What is packed beside this program: `loader` and `x11`, folders of libraries; if anything is.
    pub packed: Option<PathBuf>,
    /// Where files that name a driver can be written.
    pub scratch: PathBuf,
    /// `VK_DRIVER_FILES` or `VK_ICD_FILENAMES` as they were set.
    pub named: Option<OsString>,
    /// `LD_LIBRARY_PATH` as it was set.
    pub library_path: Option<OsString>,
}

impl Places {
    /// The ways to load a driver, most promising first: NVIDIA's, other hardware, software.
    pub fn attempts(&self) -> Vec<Attempt> {
        let drivers = self.drivers();
        let mut attempts = Vec::new();
        for driver in &drivers {
            for (loader, folders) in self.loaders() {
                let mut paths = folders;
                paths.extend(driver.libraries.clone());
                paths.extend(self.library_path.iter().flat_map(std::env::split_paths));
                let mut environment = vec![
                    ("VK_DRIVER_FILES", driver.manifest.clone().into_os_string()),
                    // Loaders before 1.3.207 know this name alone.
                    ("VK_ICD_FILENAMES", driver.manifest.clone().into_os_string()),
                ];
                if let Some(paths) = std::env::join_paths(paths).ok().filter(|paths| !paths.is_empty()) {
                    environment.push(("LD_LIBRARY_PATH", paths));
                }
                attempts.push(Attempt { what: format!("{}, {loader}", driver.what), environment });
            }
        }
        attempts
    }

    /// Why there is no way at all.
    pub fn nothing(&self) -> String {
        let kernel = self.root.join("proc/driver/nvidia/version").exists();
        match kernel {
            true => "NVIDIA's kernel module is loaded, but neither libGLX_nvidia.so.0 nor libEGL_nvidia.so.0 is to be \
                     found: in a container, start it with NVIDIA_DRIVER_CAPABILITIES=all; on a machine, install the \
                     driver's graphics libraries"
                .into(),
            false => "no Vulkan driver and no NVIDIA driver is to be found on this machine".into(),
        }
    }

    /// This machine's loader where there is one, then the packed one, then also the packed X11.
    fn loaders(&self) -> Vec<(&'static str, Vec<PathBuf>)> {
        let mut loaders = Vec::new();
        if self.find("libvulkan.so.1").is_some() {
            loaders.push(("this machine's loader", Vec::new()));
        }
        if let Some(packed) = &self.packed {
            let (loader, x11) = (packed.join("loader"), packed.join("x11"));
            if loader.is_dir() {
                loaders.push(("packed loader", vec![loader.clone()]));
                if x11.is_dir() {
                    loaders.push(("packed loader and X11", vec![loader, x11]));
                }
            }
        }
        if loaders.is_empty() {
            loaders.push(("whatever loader there is", Vec::new()));
        }
        loaders
    }

    fn drivers(&self) -> Vec<Driver> {
        let mut manifests: Vec<PathBuf> = self.named.iter().flat_map(std::env::split_paths).collect();
        manifests.retain(|manifest| manifest.is_file());
        for folder in MANIFESTS {
            let mut here = files(&self.root.join(folder));
            here.retain(|file| file.extension().is_some_and(|ending| ending == "json"));
            manifests.extend(here);
        }
        let mut drivers: Vec<(u8, Driver)> = Vec::new();
        for manifest in manifests {
            let what = manifest.display().to_string();
            let name = manifest.file_name().unwrap_or_default().to_string_lossy().to_lowercase();
            let rank = match &name {
                name if name.contains("nvidia") => 0,
                name if ["lvp", "swrast", "swiftshader", "llvmpipe"].iter().any(|s| name.contains(s)) => 3,
                _ => 2,
            };
            let libraries = (rank == 0).then(|| self.find(NVIDIA[0])).flatten();
            let libraries = libraries.and_then(|library| Some(library.parent()?.to_owned()));
            drivers.push((rank, Driver { what, manifest, libraries }));
        }
        for name in NVIDIA {
            let Some(library) = self.find(name) else { continue };
            if let Some(manifest) = self.name_driver(name, &library) {
                let libraries = library.parent().map(Path::to_owned);
                drivers.push((1, Driver { what: library.display().to_string(), manifest, libraries }));
            }
        }
        // Stable: in the order in which they were found.
        drivers.sort_by_key(|(rank, _)| *rank);
        drivers.into_iter().map(|(_, driver)| driver).collect()
    }

    /// Writes the file that names a driver's library to the loader.
    fn name_driver(&self, name: &str, library: &Path) -> Option<PathBuf> {
        let manifest = self.scratch.join(format!("{name}.json"));
        let text = serde_json::json!({
            "file_format_version": "1.0.0",
            "ICD": { "library_path": library, "api_version": "1.3.0" },
        });
        fs::create_dir_all(&self.scratch).ok()?;
        fs::write(&manifest, text.to_string()).ok()?;
        Some(manifest)
    }

    fn find(&self, library: &str) -> Option<PathBuf> {
        let own = self.library_path.iter().flat_map(std::env::split_paths).filter(|path| path.is_absolute());
        let usual = LIBRARIES.iter().map(|folder| self.root.join(folder));
        let folders = own.chain(usual).chain(self.configured());
        folders.map(|folder| folder.join(library)).find(|file| file.exists())
    }

    /// The folders that the dynamic linker's configuration names.
    fn configured(&self) -> Vec<PathBuf> {
        let texts = files(&self.root.join("etc/ld.so.conf.d"))
            .into_iter()
            .filter_map(|file| fs::read_to_string(file).ok());
        let folder = |line: &str| Some(self.root.join(line.trim().strip_prefix('/')?));
        texts.flat_map(|text| text.lines().filter_map(folder).collect::<Vec<_>>()).collect()
    }
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let mut files: Vec<_> = entries.map(|entry| entry.path()).collect();
    files.sort();
    files
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Machine(tempfile::TempDir);

    impl Machine {
        fn with(files: &[&str]) -> Self {
            let root = tempfile::tempdir().unwrap();
            for file in files {
                let file = root.path().join(file);
                fs::create_dir_all(file.parent().unwrap()).unwrap();
                fs::write(file, "/opt/own/lib\n# comment\n").unwrap();
            }
            Self(root)
        }

        fn places(&self) -> Places {
            let at = |folder: &str| self.0.path().join(folder);
            Places {
                root: self.0.path().into(),
                packed: Some(at("packed")),
                scratch: at("scratch"),
                ..Default::default()
            }
        }

        fn attempts(&self) -> Vec<String> {
            let root = format!("{}/", self.0.path().display());
            self.places().attempts().iter().map(|attempt| attempt.what.replace(&root, "")).collect()
        }
    }

    const PACKED: [&str; 2] = ["packed/loader/libvulkan.so.1", "packed/x11/libX11.so.6"];

    #[test]
    fn a_usual_machine_has_all_of_it() {
        let machine = Machine::with(&[
            "usr/lib64/libvulkan.so.1",
            "usr/share/vulkan/icd.d/lvp_icd.x86_64.json",
            "usr/share/vulkan/icd.d/nvidia_icd.json",
            "usr/share/vulkan/icd.d/radeon_icd.x86_64.json",
        ]);
        assert_eq!(
            machine.attempts(),
            [
                "usr/share/vulkan/icd.d/nvidia_icd.json, this machine's loader",
                "usr/share/vulkan/icd.d/radeon_icd.x86_64.json, this machine's loader",
                "usr/share/vulkan/icd.d/lvp_icd.x86_64.json, this machine's loader",
            ]
        );
    }

    #[test]
    fn a_driver_without_loader_and_manifest_is_named_and_loaded() {
        let machine = Machine::with(
            &[
                &PACKED[..],
                &[
                    "usr/local/nvidia/lib64/libGLX_nvidia.so.0",
                    "opt/own/lib/libEGL_nvidia.so.0",
                    "etc/ld.so.conf.d/own.conf",
                ],
            ]
            .concat(),
        );
        assert_eq!(
            machine.attempts(),
            [
                "usr/local/nvidia/lib64/libGLX_nvidia.so.0, packed loader",
                "usr/local/nvidia/lib64/libGLX_nvidia.so.0, packed loader and X11",
                "opt/own/lib/libEGL_nvidia.so.0, packed loader",
                "opt/own/lib/libEGL_nvidia.so.0, packed loader and X11",
            ]
        );
        let attempt = &machine.places().attempts()[1];
        let value = |name| attempt.environment.iter().find(|(n, _)| *n == name).unwrap().1.to_str().unwrap();
        let manifest: serde_json::Value =
            serde_json::from_str(&fs::read_to_string(value("VK_DRIVER_FILES")).unwrap()).unwrap();
        let library = machine.0.path().join("usr/local/nvidia/lib64/libGLX_nvidia.so.0");
        assert_eq!(manifest["ICD"]["library_path"].as_str(), library.to_str());
        let paths: Vec<_> = std::env::split_paths(value("LD_LIBRARY_PATH")).collect();
        let at = |folder| machine.0.path().join(folder);
        assert_eq!(paths, [at("packed/loader"), at("packed/x11"), at("usr/local/nvidia/lib64")]);
    }

    #[test]
    fn what_was_named_comes_first_of_its_kind_and_what_is_not_there_is_left_out() {
        let machine = Machine::with(&["usr/share/vulkan/icd.d/nvidia_icd.json", "own/nvidia.json"]);
        let own = machine.0.path().join("own/nvidia.json");
        let named = std::env::join_paths([own.clone(), "/nowhere/nvidia.json".into()]).unwrap();
        let attempts = Places { named: Some(named), ..machine.places() }.attempts();
        assert_eq!(attempts.len(), 2, "{attempts:?}");
        assert_eq!(attempts[0].environment[0].1, own.as_os_str());
    }

    #[test]
    fn without_any_driver_the_reason_says_what_to_do() {
        let machine = Machine::with(&PACKED);
        assert!(machine.attempts().is_empty());
        assert!(machine.places().nothing().contains("no NVIDIA driver"));
        let compute_only = Machine::with(&["proc/driver/nvidia/version"]);
        assert!(compute_only.places().nothing().contains("NVIDIA_DRIVER_CAPABILITIES=all"));
    }
}
