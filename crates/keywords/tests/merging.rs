//! Keywords merged into XMP of every spelling.

mod support;

use keywords::xmp::{XmpError, listed};
use keywords::{Keywords, sidecar};
use support::{Variant, changed, keywords, utf16_variants, variants};

const WANTED: [&str; 2] = ["animal|cat|tabby", "动物|猫|a & <b>"];

fn all() -> Vec<Variant> {
    variants().into_iter().chain(utf16_variants()).collect()
}

/// Merges once; again, nothing changes.
fn merged(xmp: Option<&[u8]>, wanted: &Keywords) -> Vec<u8> {
    let change = sidecar(xmp, wanted).unwrap().unwrap();
    let new = changed(xmp.unwrap_or_default(), &change);
    assert_eq!(sidecar(Some(&new), wanted), Ok(None));
    new
}

fn sorted<S: AsRef<str>>(list: &[S]) -> Vec<String> {
    let mut list: Vec<String> = list.iter().map(|item| item.as_ref().to_owned()).collect();
    list.sort();
    list
}

fn text(xmp: &[u8]) -> String {
    String::from_utf8(xmp.to_vec()).unwrap()
}

#[test]
fn keywords_come_beside_those_that_are_there() {
    for Variant { name, xmp, subjects } in all() {
        let wanted = keywords(&WANTED);
        let new = merged(Some(&xmp), &wanted);
        let listed = listed(&new).unwrap();
        assert_eq!(
            sorted(&listed.all.subjects),
            sorted(&[subjects, &["tabby", "a & <b>"]].concat()),
            "{name}"
        );
        assert_eq!(sorted(&listed.all.paths), sorted(&WANTED), "{name}");
        assert_eq!(listed.added, wanted, "{name}");
    }
}

#[test]
fn without_its_keywords_xmp_says_what_it_said() {
    for Variant { name, xmp, subjects } in all() {
        let tagged = merged(Some(&xmp), &keywords(&WANTED));
        let change = sidecar(Some(&tagged), &Keywords::default()).unwrap().unwrap();
        assert_eq!((change.removed, change.added), (keywords(&WANTED), Keywords::default()), "{name}");
        let cleared = changed(&tagged, &sidecar(Some(&tagged), &Keywords::default()).unwrap().unwrap());
        let left = listed(&cleared).unwrap();
        assert_eq!(sorted(&left.all.subjects), sorted(subjects), "{name}");
        assert!(left.all.paths.is_empty() && left.added.is_empty(), "{name}");
    }
}

/// What comes and goes leaves nothing behind: after ten changes XMP is as long as after two.
#[test]
fn xmp_does_not_grow_with_every_change() {
    for Variant { name, xmp, .. } in all() {
        let mut lengths = Vec::new();
        let mut xmp = merged(Some(&xmp), &keywords(&WANTED));
        for _ in 0..5 {
            xmp = merged(Some(&xmp), &keywords(&["a"]));
            xmp = changed(&xmp, &sidecar(Some(&xmp), &Keywords::default()).unwrap().unwrap());
            xmp = merged(Some(&xmp), &keywords(&WANTED));
            lengths.push(xmp.len());
        }
        assert!(lengths.windows(2).all(|pair| pair[0] == pair[1]), "{name}: {lengths:?}");
    }
}

#[test]
fn a_changed_answer_replaces_what_was_added_and_nothing_else() {
    let theirs = variants().into_iter().find(|variant| variant.name == "bag").unwrap().xmp;
    let first = merged(Some(&theirs), &keywords(&["cat|tabby", "old", "x"]));
    let second = sidecar(Some(&first), &keywords(&["cat|Persian", "x"])).unwrap().unwrap();
    assert_eq!(second.added, keywords(&["cat|Persian"]));
    assert_eq!(
        second.removed,
        Keywords { subjects: vec!["tabby".into()], paths: vec!["cat|tabby".into(), "old".into()] },
        "`old` was there as a subject before"
    );
    let listed = listed(&changed(&first, &second)).unwrap();
    assert_eq!(sorted(&listed.all.subjects), ["Persian", "a < b", "old", "x"]);
}

#[test]
fn what_somebody_removed_does_not_come_back() {
    let tagged = text(&merged(None, &keywords(&["tabby", "cup"])));
    let subject = tagged.find("<dc:subject").unwrap();
    let at = subject + tagged[subject..].find("<rdf:li>cup</rdf:li>").unwrap();
    let removed = [&tagged[..at], &tagged[at + "<rdf:li>cup</rdf:li>".len()..]].concat();
    assert_eq!(sidecar(Some(removed.as_bytes()), &keywords(&["tabby", "cup"])), Ok(None));
    let other = sidecar(Some(removed.as_bytes()), &keywords(&["lion"])).unwrap().unwrap();
    let other = changed(removed.as_bytes(), &other);
    let again = changed(&other, &sidecar(Some(&other), &keywords(&["tabby", "cup"])).unwrap().unwrap());
    assert_eq!(listed(&again).unwrap().all.subjects, ["tabby"]);
}

/// Only where keywords come or go is the text touched.
#[test]
fn the_rest_of_the_text_stays() {
    for Variant { name, xmp, .. } in variants() {
        let (old, new) = (text(&xmp), text(&merged(Some(&xmp), &keywords(&WANTED))));
        if name == "blank" {
            continue;
        }
        for part in
            ["Rating>4<", "xmp:Rating='4'", "Z &amp; ü", "Z &#38; &#xfc;", "<!-- c -->", "nested", "urn:else"]
        {
            assert_eq!(old.matches(part).count(), new.matches(part).count(), "{name}: {part}\n{new}");
        }
        // Its first and last thirty characters.
        assert!(new.starts_with(old.chars().take(30).collect::<String>().as_str()), "{name}");
        let last: String = old.chars().rev().take(10).collect();
        assert!(new.chars().rev().collect::<String>().starts_with(&last), "{name}");
    }
}

#[test]
fn a_padded_packet_keeps_its_length_and_a_read_only_one_its_padding() {
    for Variant { name, xmp, .. } in variants() {
        let new = merged(Some(&xmp), &keywords(&WANTED));
        match name {
            "packet-padded" => assert_eq!(new.len(), xmp.len()),
            "packet-read-only" => {
                assert!(text(&new).contains(&format!("\n{}<?xpacket end=\"r\"?>", " ".repeat(2000))));
            }
            _ => assert!(new.len() > xmp.len(), "{name}"),
        }
    }
}

#[test]
fn nothing_is_written_where_there_is_nothing_to_say() {
    assert_eq!(sidecar(None, &Keywords::default()), Ok(None));
    for Variant { name, xmp, .. } in all() {
        assert_eq!(sidecar(Some(&xmp), &Keywords::default()), Ok(None), "{name}");
    }
}

#[test]
fn xmp_of_another_form_is_refused() {
    let in_rdf = |content: &str| {
        format!(
            "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><rdf:Description rdf:about=\"\">{content}</rdf:Description></rdf:RDF>"
        )
    };
    let form = XmpError::Form { property: "dc:subject" };
    for content in [
        "<dc:subject rdf:parseType=\"Resource\"><dc:x>a</dc:x></dc:subject>",
        "<dc:subject rdf:resource=\"urn:a\"/>",
        "<dc:subject><rdf:Bag/><rdf:Bag/></dc:subject>",
        "<dc:subject><dc:x/></dc:subject>",
        "<dc:subject>text<rdf:Bag/></dc:subject>",
        "<dc:subject><rdf:Bag>text</rdf:Bag></dc:subject>",
        "<dc:subject><rdf:Bag><dc:x/></rdf:Bag></dc:subject>",
    ] {
        assert_eq!(
            sidecar(Some(in_rdf(content).as_bytes()), &keywords(&["a"])),
            Err(form.clone()),
            "{content}"
        );
    }
    let sentence = |xmp: &[u8]| sidecar(Some(xmp), &keywords(&["a"])).unwrap_err().to_string();
    assert!(sentence(b"<a/>").contains("no element rdf:RDF"));
    assert!(sentence(b"<!DOCTYPE a [<!ENTITY b 'c'>]><a/>").contains("document type"));
    assert!(sentence(b"<?xml version='1.0' encoding='ISO-8859-1'?><a/>").contains("ISO-8859-1"));
    for broken in
        ["<a>", "<a></b>", "text", "<a b></a>", "<x:a/>", "<a>&b;</a>", "<a b='1' b='2'/>", "<a/>\0<b/>"]
    {
        assert!(
            sentence(broken.as_bytes()).contains("not well-formed"),
            "{broken}: {}",
            sentence(broken.as_bytes())
        );
    }
    assert!(sentence(b"<a>\xe9</a>").contains("UTF-8"));
}

/// Items that are more than text are somebody's: they stay and are no keywords.
#[test]
fn items_with_qualifiers_stay() {
    let xmp = "<rdf:RDF xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:dc=\"http://purl.org/dc/elements/1.1/\"><rdf:Description rdf:about=\"\"><dc:subject><rdf:Bag><rdf:li rdf:parseType=\"Resource\"><rdf:value>cat</rdf:value></rdf:li><rdf:li><rdf:Description><rdf:value>dog</rdf:value></rdf:Description></rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:RDF>";
    let new = merged(Some(xmp.as_bytes()), &keywords(&["tabby"]));
    assert!(
        text(&new).contains("<rdf:value>cat</rdf:value>")
            && text(&new).contains("<rdf:value>dog</rdf:value>")
    );
    assert_eq!(listed(&new).unwrap().all.subjects, ["tabby"]);
}
