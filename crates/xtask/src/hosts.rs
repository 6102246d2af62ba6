//! `cargo xtask build --host NAME` and `cargo xtask host NAME`: what a kind of host needs beside the
//! built site. `docs/hosting.md` tells how each is used.

mod files;
mod headers;
mod nginx;
mod s3;

use std::fs;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use crate::{Result, app_shell};

/// A kind of host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Host {
    CloudflarePages,
    GithubPages,
    Netlify,
    Nginx,
    S3,
}

/// What index.html says where no headers can be sent: the page's service worker adds them instead.
const ISOLATE: &str = r#"<meta name="isolation" content="service-worker">"#;

impl Host {
    /// As it is written on the command line.
    pub fn name(self) -> &'static str {
        match self {
            Self::CloudflarePages => "cloudflare-pages",
            Self::GithubPages => "github-pages",
            Self::Netlify => "netlify",
            Self::Nginx => "nginx",
            Self::S3 => "s3",
        }
    }

    /// The largest file it takes, in bytes, where it has such a limit.
    fn largest_file(self) -> Option<u64> {
        match self {
            Self::CloudflarePages => Some(25 << 20),
            Self::GithubPages => Some(100 << 20),
            Self::Netlify | Self::Nginx | Self::S3 => None,
        }
    }
}

/// Makes a built site ready for a host. Returns the files that were written or changed.
///
/// # Errors
/// When the folder holds no site, or a file that the host refuses.
pub fn prepare(host: Host, site: &Path) -> Result<Vec<PathBuf>> {
    let page = site.join("index.html");
    let html = fs::read_to_string(&page).map_err(|error| {
        format!("{} holds no built site ({error}): run `cargo xtask build`", site.display())
    })?;
    let files = files::list(site).map_err(|error| format!("{}: {error}", site.display()))?;
    if let Some(limit) = host.largest_file() {
        let large = files.iter().filter(|file| file.bytes > limit);
        let names: Vec<_> = large.map(|file| file.path.as_str()).collect();
        if !names.is_empty() {
            return Err(format!(
                "{} takes files of at most {} MiB, and these are larger: {}. `beitscope convert` cuts \
                 weights into files of 20 MiB",
                host.name(),
                limit >> 20,
                names.join(", ")
            ));
        }
    }
    let wanted = match host {
        Host::CloudflarePages | Host::Netlify => vec![(site.join("_headers"), headers::file(&files))],
        // Without this GitHub would run the site through Jekyll, which leaves files out.
        Host::GithubPages => vec![(site.join(".nojekyll"), String::new()), (page, isolating(&html)?)],
        Host::Nginx => vec![(beside(site, "nginx.conf"), nginx::server(site)?)],
        Host::S3 => vec![(beside(site, "upload.sh"), s3::script(site, &files)), (page, isolating(&html)?)],
    };
    for (path, text) in &wanted {
        fs::write(path, text).map_err(|error| format!("{}: {error}", path.display()))?;
    }
    // The page may have changed, and the service worker recognises changes by the content's hash.
    if site.join(app_shell::SERVICE_WORKER).is_file() {
        app_shell::list(site)?;
    }
    Ok(wanted.into_iter().map(|(path, _)| path).collect())
}

/// The page with [`ISOLATE`] in its head.
fn isolating(html: &str) -> Result<String> {
    if html.contains(ISOLATE) {
        return Ok(html.to_owned());
    }
    let (before, after) =
        html.split_once("<head>").ok_or("index.html has no <head>: build the site again")?;
    Ok(format!("{before}<head>{ISOLATE}{after}"))
}

/// `dist` → `dist.nginx.conf`: beside the site, since it is not for visitors.
fn beside(site: &Path, ending: &str) -> PathBuf {
    let mut name = site.file_name().unwrap_or_default().to_owned();
    name.push(".");
    name.push(ending);
    site.with_file_name(name)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// A folder of its own with a small site.
    fn site(test: &str) -> PathBuf {
        let folder = std::env::temp_dir().join(format!("beitscope-hosts-{test}-{}", std::process::id()));
        let site = folder.join("site");
        fs::create_dir_all(site.join("workers/simd128")).unwrap();
        fs::write(site.join("index.html"), "<!doctype html><html><head><title>x</title></head></html>")
            .unwrap();
        fs::write(site.join("web-0123456789abcdef_bg.wasm"), "wasm").unwrap();
        fs::write(site.join("workers/simd128/glue.js"), "js").unwrap();
        site
    }

    #[test]
    fn every_host_goes_by_its_name_and_writes_its_files() {
        for &host in Host::value_variants() {
            assert_eq!(Host::from_str(host.name(), false), Ok(host));
            let site = site(host.name());
            let written = prepare(host, &site).unwrap();
            assert!(written.iter().all(|path| path.is_file()), "{written:?}");
            assert_eq!(prepare(host, &site).unwrap(), written, "a second time changes nothing");
            fs::remove_dir_all(site.parent().unwrap()).unwrap();
        }
    }

    #[test]
    fn headers_are_sent_where_the_host_can_and_else_the_page_isolates_itself() {
        for (host, sends) in [(Host::Netlify, true), (Host::GithubPages, false), (Host::S3, false)] {
            let site = site(&format!("isolation-{}", host.name()));
            prepare(host, &site).unwrap();
            let html = fs::read_to_string(site.join("index.html")).unwrap();
            assert_eq!(html.matches(ISOLATE).count(), usize::from(!sends), "{host:?}");
            let headers = fs::read_to_string(site.join("_headers")).unwrap_or_default();
            assert_eq!(headers.contains("Cross-Origin-Embedder-Policy: require-corp"), sends, "{host:?}");
            fs::remove_dir_all(site.parent().unwrap()).unwrap();
        }
    }

    #[test]
    fn files_that_a_host_refuses_are_named_before_anything_is_written() {
        let site = site("large");
        let file = fs::File::create(site.join("weights.gguf")).unwrap();
        file.set_len(26 << 20).unwrap();
        let message = prepare(Host::CloudflarePages, &site).unwrap_err();
        assert!(message.contains("weights.gguf") && message.contains("25 MiB"), "{message}");
        assert!(!site.join("_headers").exists());
        assert!(prepare(Host::Netlify, &site).is_ok());
        fs::remove_dir_all(site.parent().unwrap()).unwrap();
    }

    #[test]
    fn a_folder_without_a_site_is_refused() {
        let message = prepare(Host::Nginx, Path::new("/nonexistent/site")).unwrap_err();
        assert!(message.contains("cargo xtask build"), "{message}");
    }
}
