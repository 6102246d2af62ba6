//! The app shell: the files that the service worker keeps, so that the page opens without a network.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use sha2::{Digest, Sha256};

use crate::{Result, class_names, embed};

pub const SERVICE_WORKER: &str = "service-worker.js";

/// Around the list in the service worker's source.
const BEFORE: &str = "const SHELL = {";
const AFTER: &str = "};";

/// Lists the built site's files in its service worker, each with the hash of its content, so that a new
/// build is a new service worker and only what has changed is fetched again.
pub fn list(site: &Path) -> Result<()> {
    let mut files = BTreeMap::new();
    collect(site, "", &mut files)?;
    let path = site.join(SERVICE_WORKER);
    let source = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let place =
        source.split_once(BEFORE).and_then(|(before, rest)| Some((before, rest.split_once(AFTER)?.1)));
    let (before, after) =
        place.ok_or(format!("{} has no `{BEFORE}{AFTER}` to be filled in", path.display()))?;
    let entry = |(path, hash): (&String, &String)| format!("  {path:?}: {hash:?},\n");
    let list: String = files.iter().map(entry).collect();
    fs::write(&path, format!("{before}{BEFORE}\n{list}{AFTER}{after}"))
        .map_err(|error| format!("{}: {error}", path.display()))
}

/// All files below a folder but the models, which may change by themselves and whose weights the page keeps; the class
/// names that few visitors' imports want; what is for other pages; and the service worker, which the browser keeps.
fn collect(folder: &Path, prefix: &str, files: &mut BTreeMap<String, String>) -> Result<()> {
    let describe = |error| format!("{}: {error}", folder.display());
    for entry in fs::read_dir(folder).map_err(describe)? {
        let path = entry.map_err(describe)?.path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // What begins like that is for the host, not for visitors.
        let hosts = name.starts_with(['.', '_']);
        let elsewhere = [SERVICE_WORKER, "models", class_names::FOLDER].contains(&name.as_str());
        let elsewhere = prefix.is_empty() && (hosts || elsewhere);
        let for_others = prefix == embed::PREFIX && !embed::OF_THE_PAGE.contains(&name.as_str());
        if elsewhere || for_others {
            continue;
        }
        if path.is_dir() {
            collect(&path, &format!("{prefix}{name}/"), files)?;
        } else {
            let bytes = fs::read(&path).map_err(|error| format!("{}: {error}", path.display()))?;
            let hash = Sha256::digest(&bytes).iter().take(16).map(|byte| format!("{byte:02x}")).collect();
            files.insert(format!("{prefix}{name}"), hash);
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_file_but_the_models_is_listed_with_its_hash() {
        let site = std::env::temp_dir().join(format!("xtask-shell-{}", std::process::id()));
        fs::create_dir_all(site.join("models/demo")).unwrap();
        fs::create_dir_all(site.join("samples")).unwrap();
        fs::create_dir_all(site.join("classes")).unwrap();
        fs::write(site.join("classes/imagenet-22k.tsv"), "n00004475\torganism\t").unwrap();
        fs::create_dir_all(site.join("embed")).unwrap();
        fs::write(site.join("embed/worker-client.js"), "of the page too").unwrap();
        fs::write(site.join("embed/index.js"), "for other pages").unwrap();
        fs::write(site.join("index.html"), "page").unwrap();
        fs::write(site.join("_headers"), "for the host").unwrap();
        fs::write(site.join("models/demo/x.gguf-00001-of-00001"), "weights").unwrap();
        fs::write(site.join("samples/models"), "{}").unwrap();
        fs::write(site.join(SERVICE_WORKER), "before\nconst SHELL = {};\nafter").unwrap();
        list(&site).unwrap();
        let written = fs::read_to_string(site.join(SERVICE_WORKER)).unwrap();
        assert!(
            written.starts_with("before\nconst SHELL = {\n  \"embed/worker-client.js\": \""),
            "{written}"
        );
        assert!(!written.contains("embed/index.js"), "{written}");
        assert!(written.contains("\"samples/models\": \"44136fa355b3678a1146ad16f7e8649e\""), "{written}");
        assert!(!written.contains("classes/"), "{written}");
        assert!(!written.contains("gguf") && written.ends_with("};\nafter"), "{written}");
        fs::write(site.join("index.html"), "another page").unwrap();
        list(&site).unwrap();
        let again = fs::read_to_string(site.join(SERVICE_WORKER)).unwrap();
        assert!(again != written && again.len() == written.len(), "{again}");
        fs::remove_dir_all(&site).unwrap();
    }
}
