//! XMP in many spellings, and photos with it.

// Each test binary uses its own part of this.
#![allow(dead_code)]

use flate2::Compression;
use flate2::write::ZlibEncoder;
use keywords::{Change, Keywords, apply, inverse};
use std::io::Write;
use std::path::Path;

const RDF: &str = "xmlns:rdf=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"";
const DC: &str = "xmlns:dc=\"http://purl.org/dc/elements/1.1/\"";

pub fn keywords(words: &[&str]) -> Keywords {
    let mut keywords = Keywords::default();
    for word in words {
        let subject = word.rsplit('|').next().unwrap().to_owned();
        if !keywords.subjects.contains(&subject) {
            keywords.subjects.push(subject);
        }
        keywords.paths.push((*word).to_owned());
    }
    keywords
}

/// A photo of the workspace's tests.
pub fn photo(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/data/photos").join(name)).unwrap()
}

/// The changed file; its change undone is the file.
pub fn changed(file: &[u8], change: &Change) -> Vec<u8> {
    let new = apply(file, &change.splices).unwrap();
    assert_eq!(apply(&new, &inverse(file, &change.splices).unwrap()).unwrap(), file);
    new
}

/// RDF around descriptions.
fn meta(descriptions: &str) -> String {
    format!("<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF {RDF}>{descriptions}</rdf:RDF></x:xmpmeta>")
}

fn wrapped(meta: &str, padding: usize, end: char) -> String {
    let padding = " ".repeat(padding);
    format!(
        "<?xpacket begin=\"\u{feff}\" id=\"W5M0MpCehiHzreSzNTczkc9d\"?>{meta}\n{padding}<?xpacket end=\"{end}\"?>"
    )
}

/// The variant whose RDF has no prefix, of which exiftool reads nothing.
pub const DEFAULT_NAMESPACE: &str = "default-namespace";

/// An XMP text that is there, and the keywords in it.
pub struct Variant {
    pub name: &'static str,
    pub xmp: Vec<u8>,
    pub subjects: &'static [&'static str],
}

/// Each holds `xmp:Rating` 4 and the title "Z & ü" (but for the empty ones), which must stay.
pub fn variants() -> Vec<Variant> {
    let other = "<xmp:Rating>4</xmp:Rating><dc:title><rdf:Alt><rdf:li xml:lang=\"x-default\">Z &amp; ü</rdf:li></rdf:Alt></dc:title>";
    let node = |content: &str| {
        format!(
            "<rdf:Description rdf:about=\"\" {DC} xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\">{other}{content}</rdf:Description>"
        )
    };
    let bag = |kind: &str| {
        node(&format!(
            "<dc:subject><rdf:{kind}>\n  <rdf:li>old</rdf:li>\n  <rdf:li>a &lt; b</rdf:li>\n</rdf:{kind}></dc:subject>"
        ))
    };
    let old: &[&str] = &["old", "a < b"];
    let mut variants = vec![
        ("bag", meta(&bag("Bag")), old),
        ("seq", meta(&bag("Seq")), old),
        ("no-keywords", meta(&node("")), &[]),
        ("empty-property", meta(&node("<dc:subject/>")), &[]),
        ("open-empty-property", meta(&node("<dc:subject> </dc:subject>")), &[]),
        ("empty-bag", meta(&node("<dc:subject><rdf:Bag/></dc:subject>")), &[]),
        ("open-empty-bag", meta(&node("<dc:subject><rdf:Bag>\n</rdf:Bag></dc:subject>")), &[]),
        ("plain-text", meta(&node("<dc:subject>old</dc:subject>")), &["old"]),
        (
            "cdata",
            meta(&node("<dc:subject><rdf:Bag><rdf:li><![CDATA[a < b]]></rdf:li></rdf:Bag></dc:subject>")),
            &["a < b"],
        ),
        (
            "attributes",
            meta(&format!(
                "<rdf:Description rdf:about='' {DC} dc:subject = 'a &lt; b' xmlns:xmp='http://ns.adobe.com/xap/1.0/' xmp:Rating='4' dc:title='Z &amp; ü'/>"
            )),
            &["a < b"],
        ),
        (
            "keywords-in-the-second-description",
            meta(&format!(
                "<rdf:Description rdf:about=\"\" xmlns:xmp=\"http://ns.adobe.com/xap/1.0/\" xmp:CreatorTool=\"t\"/>{}",
                bag("Bag")
            )),
            old,
        ),
        (
            "other-prefixes",
            format!(
                "<x:xmpmeta xmlns:x=\"adobe:ns:meta/\"><rdf:RDF {RDF} xmlns:dc=\"urn:other\" xmlns:lr=\"urn:else\" xmlns:d=\"http://purl.org/dc/elements/1.1/\"><rdf:Description rdf:about=\"\" xmlns:q=\"http://ns.adobe.com/xap/1.0/\"><q:Rating>4</q:Rating><d:subject><rdf:Bag><rdf:li>old</rdf:li><rdf:li>a &#60; b</rdf:li></rdf:Bag></d:subject></rdf:Description></rdf:RDF></x:xmpmeta>"
            ),
            old,
        ),
        (
            DEFAULT_NAMESPACE,
            "<RDF xmlns=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\" xmlns:rdf=\"urn:else\" xmlns:dc=\"urn:other\" xmlns:d=\"http://purl.org/dc/elements/1.1/\" xmlns:r=\"http://www.w3.org/1999/02/22-rdf-syntax-ns#\"><Description r:about=\"\" xmlns:q=\"http://ns.adobe.com/xap/1.0/\"><q:Rating>4</q:Rating><d:title><Alt><li xml:lang=\"x-default\">Z &#38; &#xfc;</li></Alt></d:title><d:subject><Bag><li>old</li><li>a &lt; b</li></Bag></d:subject></Description></RDF>"
            .to_owned(),
            old,
        ),
        ("no-description", meta(""), &[]),
        ("empty-rdf", format!("<x:xmpmeta xmlns:x='adobe:ns:meta/'><rdf:RDF {RDF}/></x:xmpmeta>"), &[]),
        ("blank", "  \n".into(), &[]),
        (
            "nested-subjects-of-others",
            meta(&node(
                "<m:Ingredients xmlns:m=\"http://ns.adobe.com/xap/1.0/mm/\"><rdf:Bag><rdf:li><rdf:Description><dc:subject><rdf:Bag><rdf:li>nested</rdf:li></rdf:Bag></dc:subject></rdf:Description></rdf:li></rdf:Bag></m:Ingredients>",
            )),
            &[],
        ),
        (
            "comments",
            meta(&node(
                "<!-- c --><dc:subject><!-- c --><rdf:Bag><!-- <rdf:li>no</rdf:li> --><rdf:li>old</rdf:li><!-- c --></rdf:Bag></dc:subject>",
            )),
            &["old"],
        ),
    ];
    let bag = meta(&bag("Bag"));
    variants.push(("packet-padded", wrapped(&bag, 2000, 'w'), old));
    variants.push(("packet-little-padding", wrapped(&bag, 20, 'w'), old));
    variants.push(("packet-read-only", wrapped(&bag, 2000, 'r'), old));
    variants.push(("byte-order-mark", format!("\u{feff}{bag}"), old));
    variants.push(("declaration", format!("<?xml version='1.0' encoding='utf-8'?>\n{bag}"), old));
    variants.push(("ends-with-nuls", format!("{}\0\0\0", wrapped(&bag, 0, 'w')), old));
    variants
        .into_iter()
        .map(|(name, text, subjects)| Variant { name, xmp: text.into_bytes(), subjects })
        .collect()
}

/// The same packet in UTF-16 of both byte orders, with and without a byte order mark.
pub fn utf16_variants() -> Vec<Variant> {
    let bag = variants().into_iter().find(|variant| variant.name == "packet-padded").unwrap();
    let text = String::from_utf8(bag.xmp).unwrap();
    let marked = format!("\u{feff}{text}");
    let big = |text: &str| text.encode_utf16().flat_map(u16::to_be_bytes).collect::<Vec<u8>>();
    let little = |text: &str| text.encode_utf16().flat_map(u16::to_le_bytes).collect::<Vec<u8>>();
    [
        ("utf16-big", big(&text)),
        ("utf16-little", little(&text)),
        ("utf16-big-marked", big(&marked)),
        ("utf16-little-marked", little(&marked)),
    ]
    .map(|(name, xmp)| Variant { name, xmp, subjects: bag.subjects })
    .into()
}

/// A JPEG segment.
pub fn segment(marker: u8, content: &[u8]) -> Vec<u8> {
    [&[0xff, marker][..], &(content.len() as u16 + 2).to_be_bytes(), content].concat()
}

pub fn xmp_segment(xmp: &[u8]) -> Vec<u8> {
    segment(0xe1, &[&b"http://ns.adobe.com/xap/1.0/\0"[..], xmp].concat())
}

/// A JPEG with more segments right behind the start marker.
pub fn jpeg_with(jpeg: &[u8], segments: &[Vec<u8>]) -> Vec<u8> {
    [&jpeg[..2], &segments.concat(), &jpeg[2..]].concat()
}

pub fn png_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let typed = [&kind[..], content].concat();
    [&(content.len() as u32).to_be_bytes()[..], &typed, &crc32fast::hash(&typed).to_be_bytes()].concat()
}

/// A PNG with another chunk behind its header.
pub fn png_with(png: &[u8], chunk: &[u8]) -> Vec<u8> {
    [&png[..33], chunk, &png[33..]].concat()
}

pub fn xmp_chunk(xmp: &[u8], packed: bool) -> Vec<u8> {
    let text = if packed {
        let mut encoder = ZlibEncoder::new(Vec::new(), Compression::best());
        encoder.write_all(xmp).unwrap();
        encoder.finish().unwrap()
    } else {
        xmp.to_vec()
    };
    png_chunk(b"iTXt", &[&b"XML:com.adobe.xmp\0"[..], &[u8::from(packed), 0], b"en\0XMP\0", &text].concat())
}

pub fn riff_chunk(kind: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let fill = vec![0; content.len() % 2];
    [&kind[..], &(content.len() as u32).to_le_bytes(), content, &fill].concat()
}

pub fn webp(chunks: &[Vec<u8>]) -> Vec<u8> {
    let content = [&b"WEBP"[..], &chunks.concat()].concat();
    riff_chunk(b"RIFF", &content)
}

/// An extended WebP of the chunks of another with XMP behind them.
pub fn webp_with(extended: &[u8], xmp: &[u8]) -> Vec<u8> {
    let mut content = extended[12..].to_vec();
    assert_eq!(&content[..4], b"VP8X");
    content[8] |= 4;
    webp(&[content, riff_chunk(b"XMP ", xmp)])
}
