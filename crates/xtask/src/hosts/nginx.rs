//! A `server` block for nginx.

use std::path::Path;

use super::files::HASH_DIGITS;
use super::headers::{ASK_AGAIN, EVERY_FILE, FOR_EVER};
use crate::Result;

/// The block. Put it into `http { … }`, such as in a file of /etc/nginx/conf.d.
pub fn server(site: &Path) -> Result<String> {
    let root = std::path::absolute(site).map_err(|error| format!("{}: {error}", site.display()))?;
    let root = root.to_string_lossy();
    if root.contains(['"', '\\', '$']) {
        return Err(format!("{root}: nginx can't be told this path; move the site elsewhere"));
    }
    let headers: String = EVERY_FILE
        .iter()
        .map(|(name, value)| format!("    add_header {name} \"{value}\" always;\n"))
        .collect();
    Ok(format!(
        "# Beitscope. Browsers only let a page use threads on https or localhost: add your certificate.
server {{
    listen 80;
    server_name _;
    root \"{root}\";
    index index.html;

    types {{
        text/html html;
        text/css css;
        text/javascript js mjs;
        application/wasm wasm;
        application/json json;
        application/manifest+json webmanifest;
        image/svg+xml svg;
        image/png png;
        image/jpeg jpg jpeg;
        text/markdown md;
        text/tab-separated-values tsv;
    }}
    # Weights.
    default_type application/octet-stream;
    charset utf-8;

    gzip on;
    gzip_types text/css text/javascript text/tab-separated-values application/wasm application/json image/svg+xml;

    # A location with headers of its own inherits none, so what browsers may keep is a variable.
    set $keep \"{ASK_AGAIN}\";
    if ($uri ~ \"-[0-9a-f]{{{HASH_DIGITS},}}(_bg)?[.][a-z]+$\") {{
        set $keep \"{FOR_EVER}\";
    }}
    add_header Cache-Control $keep always;
{headers}
    location / {{
        try_files $uri $uri/ =404;
    }}
}}
"
    ))
}
