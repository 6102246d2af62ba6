//! A script that uploads the site to a bucket of S3 or of what speaks its protocol.

use std::path::Path;

use super::files::File;
use super::headers::{ASK_AGAIN, FOR_EVER};

/// The script. Files that never change go first and index.html last, so that no visitor meets a page whose
/// parts are not there yet.
pub fn script(site: &Path, files: &[File]) -> String {
    let site = site.file_name().unwrap_or_default().to_string_lossy();
    let mut text = format!(
        "#!/bin/sh
# Uploads {site}/ to a bucket: sh {site}.upload.sh s3://BUCKET[/FOLDER] [--endpoint-url https://…]
# Wants the AWS command line and its credentials.
set -eu
cd \"$(dirname \"$0\")/{site}\"
to=\"${{1:?usage: $0 s3://BUCKET[/FOLDER] [options of aws s3 cp]}}\"
shift

put() {{ # file, type, how long browsers may keep it
    file=\"$1\" type=\"$2\" keep=\"$3\"
    shift 3
    aws s3 cp \"$file\" \"$to/$file\" --content-type \"$type\" --cache-control \"$keep\" \"$@\"
}}

"
    );
    let mut ordered: Vec<&File> = files.iter().collect();
    ordered.sort_by_key(|file| (file.path == "index.html", !file.is_hashed(), &file.path));
    for file in ordered {
        let keep = if file.is_hashed() { FOR_EVER } else { ASK_AGAIN };
        let kind = server::content_type(&file.path);
        text += &format!("put '{}' '{kind}' '{keep}' \"$@\"\n", file.path.replace('\'', r"'\''"));
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_page_is_uploaded_last_and_names_are_quoted() {
        let file = |path: &str| File { path: path.into(), bytes: 1 };
        let files = [file("index.html"), file("it's.png"), file("web-0123456789abcdef_bg.wasm")];
        let text = script(Path::new("some/dist"), &files);
        let lines: Vec<_> = text.lines().filter(|line| line.starts_with("put '")).collect();
        assert!(
            lines[0].starts_with("put 'web-0123456789abcdef_bg.wasm' 'application/wasm' 'public"),
            "{text}"
        );
        assert!(lines[1].starts_with(r"put 'it'\''s.png' 'image/png' 'no-cache'"), "{text}");
        assert!(lines[2].starts_with("put 'index.html' 'text/html"), "{text}");
        assert!(text.contains(r#"cd "$(dirname "$0")/dist""#), "{text}");
    }
}
