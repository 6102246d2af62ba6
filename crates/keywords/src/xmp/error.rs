//! Why XMP can't be merged.

/// What is wrong with the XMP that is there. It is left as it is.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[expect(missing_docs, reason = "the messages say it")]
pub enum XmpError {
    #[error("its XMP is neither UTF-8 nor UTF-16")]
    Encoding,
    #[error("its XMP says that it is written in {0}; only UTF-8 and UTF-16 are read")]
    Declared(String),
    #[error("its XMP is not well-formed XML: {0}")]
    Xml(String),
    #[error("its XMP has a document type declaration, which XMP does not allow")]
    DocumentType,
    #[error("its XMP has no element rdf:RDF")]
    NoRdf,
    #[error("its XMP has {property} in a form that is no list of keywords")]
    Form { property: &'static str },
    #[error("its XMP is longer than {most} bytes")]
    TooLong { most: u64 },
    #[error("the keywords can't be merged into its XMP so that they are read back")]
    NotReadBack,
}
