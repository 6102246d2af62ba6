//! The names in an archive, as a tree of folders.

use std::collections::BTreeMap;
use std::ops::Bound;

/// Whether a file is a photo, by its extension.
pub fn is_photo(name: &str) -> bool {
    let extension = name.rsplit_once('.').map(|(_, extension)| extension.to_ascii_lowercase());
    extension.is_some_and(|e| beit::decode::ENDINGS.contains(&e.as_str()))
}

/// Whether a file or folder is none of the dataset's: hidden, or what macOS adds to zip files.
pub fn is_hidden(component: &str) -> bool {
    component.starts_with('.') || component == "__MACOSX"
}

/// `./a//b` → `a/b`. Nothing for a name that leads outside of what it is relative to.
pub fn normalized(name: &str) -> Option<String> {
    if name.starts_with('/') || name.contains('\0') {
        return None;
    }
    let parts: Vec<&str> = name.split('/').filter(|part| !part.is_empty() && *part != ".").collect();
    (!parts.contains(&"..")).then(|| parts.join("/"))
}

/// Files of an archive, by name, with the number of their entry.
#[derive(Default)]
pub struct Listing(BTreeMap<Box<str>, usize>);

impl Listing {
    /// Notes a file. Of entries with the same name the last counts, as when an archive is unpacked.
    pub fn add(&mut self, name: String, entry: usize) {
        if !name.is_empty() && !name.split('/').any(is_hidden) {
            self.0.insert(name.into(), entry);
        }
    }

    pub fn entry(&self, name: &str) -> Option<usize> {
        self.0.get(name).copied()
    }

    /// Names of the folders in the folder `under`, which is empty or ends in `/`; in the order of their files.
    pub fn folders(&self, under: &str) -> Vec<String> {
        let mut folders = Vec::new();
        let mut from = under.to_owned();
        while let Some((name, _)) =
            self.0.range::<str, _>((Bound::Excluded(from.as_str()), Bound::Unbounded)).next()
        {
            let Some(rest) = name.strip_prefix(under) else { break };
            match rest.split_once('/') {
                Some((folder, _)) => {
                    folders.push(folder.to_owned());
                    // The character after `/`: past everything in this folder.
                    from = format!("{under}{folder}0");
                }
                None => from = name.to_string(),
            }
        }
        folders
    }

    /// Names of the photos in the folder `under` and the folders inside it, in order.
    pub fn photos<'a>(&'a self, under: &'a str) -> impl Iterator<Item = &'a str> {
        let names =
            self.0.range::<str, _>((Bound::Included(under), Bound::Unbounded)).map(|(name, _)| name.as_ref());
        names.take_while(move |name: &&str| name.starts_with(under)).filter(|name| is_photo(name))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_stay_inside() {
        for (name, normalized_name) in
            [("a/b.jpg", "a/b.jpg"), ("./a//b", "a/b"), ("a/./b/", "a/b"), ("a..b/...", "a..b/...")]
        {
            assert_eq!(normalized(name).as_deref(), Some(normalized_name), "{name}");
        }
        for outside in ["/etc/passwd", "../a", "a/../../b", "a/..", "a\0b"] {
            assert_eq!(normalized(outside), None, "{outside}");
        }
    }

    #[test]
    fn a_listing_is_a_tree() {
        let mut listing = Listing::default();
        let names = ["a/1.jpg", "a/b/2.png", "a-b/3.jpg", "a0", "a0/x.gif", "notes.txt", "c/readme", "z.jpg"];
        names.iter().enumerate().for_each(|(i, name)| listing.add((*name).to_owned(), i));
        for hidden in ["__MACOSX/a/._1.jpg", ".cache/1.jpg", "a/.DS_Store", "a/._1.jpg"] {
            listing.add(hidden.into(), 99);
        }
        assert_eq!(listing.folders(""), ["a-b", "a", "a0", "c"]);
        assert_eq!(listing.folders("a/"), ["b"]);
        assert_eq!(listing.photos("a/").collect::<Vec<_>>(), ["a/1.jpg", "a/b/2.png"]);
        assert_eq!(listing.photos("").count(), 5);
        assert_eq!((listing.entry("a/1.jpg"), listing.entry("a")), (Some(0), None));
    }
}
