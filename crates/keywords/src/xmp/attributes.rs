//! Where the attributes of a tag stand in its text.

use std::ops::Range;

/// An attribute of a tag.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attribute {
    /// With the white space before it.
    pub span: Range<usize>,
    /// Its qualified name.
    pub name: Range<usize>,
    /// What stands between the quotes.
    pub value: Range<usize>,
}

/// The attributes of the start tag `text[tag]`, from `<` to `>`. `None` if it is not well-formed.
pub fn attributes(text: &str, tag: &Range<usize>) -> Option<Vec<Attribute>> {
    let inner = text.get(tag.clone())?.strip_prefix('<')?.strip_suffix('>')?;
    let inner = inner.strip_suffix('/').unwrap_or(inner);
    let end = tag.start + 1 + inner.len();
    let is_space = |c: char| matches!(c, ' ' | '\t' | '\r' | '\n');
    let skip = |at: usize| end - text[at..end].trim_start_matches(is_space).len();
    let mut at = tag.start + 1 + inner.find(is_space).unwrap_or(inner.len());
    let mut found = Vec::new();
    loop {
        let start = at;
        let name = skip(at);
        if name == end {
            return Some(found);
        }
        let name_end = name + text[name..end].find(|c: char| is_space(c) || c == '=')?;
        if name == start || name_end == name {
            return None;
        }
        let rest = text[skip(name_end)..end].strip_prefix('=')?;
        let quoted = skip(end - rest.len());
        let quote = text[quoted..end].chars().next().filter(|c| matches!(c, '"' | '\''))?;
        let value = quoted + 1;
        let length = text[value..end].find(quote)?;
        at = value + length + 1;
        found.push(Attribute { span: start..at, name: name..name_end, value: value..value + length });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn attributes_are_found_where_they_stand() {
        let text = "<a  b='1 = \"2\"'\n\tc:d = \"\"/>";
        let found = attributes(text, &(0..text.len())).unwrap();
        let parts: Vec<_> = found
            .iter()
            .map(|a| [&text[a.span.clone()], &text[a.name.clone()], &text[a.value.clone()]])
            .collect();
        assert_eq!(parts, [["  b='1 = \"2\"'", "b", "1 = \"2\""], ["\n\tc:d = \"\"", "c:d", ""]]);
        assert_eq!(attributes("<a>", &(0..3)).unwrap(), []);
        for wrong in ["<a b>", "<a b=c>", "<a b='1>", "<a ='1'>", "<a b='1'c='2'>"] {
            assert_eq!(attributes(wrong, &(0..wrong.len())), None, "{wrong}");
        }
    }
}
