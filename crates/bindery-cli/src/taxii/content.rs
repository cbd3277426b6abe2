//! Content: from files into blocks, and from blocks into files.

use std::{
    fs,
    io::Read,
    path::{Path, PathBuf},
};

use bindery_taxii_xml::{
    Content, ContentBinding, ContentBlock, DefaultQuery, Dialect, Query, Timestamp,
};
use bindery_xml::{Event, Fragment, Inside, Options, Reader};
use serde_json::json;

use super::beside;
use crate::{
    args::taxii::PushArgs,
    error::{Failure, Result},
    output::{Format, Output, write_stdout},
};

/// The longest content of a block, in octets.
const LONGEST: u64 = 64 << 20;

/// A block of a file.
///
/// # Errors
/// The file cannot be read, or is nothing that the dialect could carry.
pub(super) fn block(
    args: &PushArgs,
    file: &Path,
    dialect: Dialect,
) -> Result<ContentBlock<'static>> {
    let failed = |reason: String| Failure::usage(format!("{}: {reason}", file.display()));
    let mut octets = Vec::new();
    let read = if file == Path::new("-") {
        std::io::stdin().take(LONGEST + 1).read_to_end(&mut octets)
    } else {
        fs::File::open(file).and_then(|file| file.take(LONGEST + 1).read_to_end(&mut octets))
    };
    read.map_err(|error| failed(error.to_string()).hint("name a file that can be read"))?;
    if octets.len() as u64 > LONGEST {
        return Err(failed(format!("it has more than {LONGEST} octets")).hint("send less at once"));
    }
    let text = String::from_utf8(octets).map_err(|_| {
        failed("it is not UTF-8".to_owned())
            .hint("encode octets as base64, and name that by --binding")
    })?;
    let element = if args.text { None } else { element(&text) };
    let content = match (element, dialect) {
        (Some(element), Dialect::Draft) => Content::Element(element),
        (Some(element), _) => Content::Inside(content_of(&element)),
        (None, Dialect::Draft) => {
            return Err(failed("it is no XML document".to_owned())
                .hint("a block of the draft is one element: -t 1.1 takes text"));
        }
        (None, _) => Content::Inside(Inside::text(&text).map_err(|error| {
            failed(error.to_string()).hint("encode it as base64, and name that by --binding")
        })?),
    };
    let mut binding = ContentBinding::new(args.binding.clone());
    binding.subtypes.extend(args.subtype.clone());
    Ok(ContentBlock::new(binding, content))
}

/// A query of a file.
///
/// # Errors
/// The file cannot be read, or is no Default_Query.
pub(super) fn query(file: &Path) -> Result<Query> {
    let failed = |reason: String| {
        Failure::usage(format!("{}: {reason}", file.display()))
            .hint("write a Default_Query of TAXII Default Query 1.0")
    };
    let text = fs::read_to_string(file).map_err(|error| failed(error.to_string()))?;
    let found = element(&text).ok_or_else(|| failed("it is no XML document".to_owned()))?;
    let query = DefaultQuery::read(&content_of(&found)).map_err(|e| failed(e.to_string()))?;
    query.to_query().map_err(|error| failed(error.to_string()))
}

/// The document's element, where the text is a whole XML document.
fn element(text: &str) -> Option<Fragment<'static>> {
    let mut options = Options::STRICT;
    options.limits.document_length = LONGEST;
    let mut reader = Reader::with_options(text, &options);
    let mut found = None;
    loop {
        match reader.next_event() {
            Ok(Some(Event::Start(_))) => found = Some(reader.subtree().ok()?.into_owned()),
            Ok(Some(_)) => {}
            Ok(None) => return found,
            Err(_) => return None,
        }
    }
}

/// An element as what stands inside another one.
fn content_of(element: &Fragment<'_>) -> Inside<'static> {
    let document = format!("<c>{}</c>", element.raw());
    let mut reader = Reader::new(&document);
    // It was read before.
    let begun = reader.next_event().is_ok();
    let read = reader.subtree().ok().filter(|_| begun);
    read.map(|fragment| fragment.into_inside().into_owned()).unwrap_or_default()
}

/// Where polled content goes.
#[derive(Debug)]
pub(super) struct Sink {
    folder: Option<PathBuf>,
    output: Output,
    blocks: u64,
    listed: Vec<serde_json::Value>,
}

impl Sink {
    /// Standard output, or files in a directory, which is made where there is none.
    ///
    /// # Errors
    /// The directory cannot be made.
    pub(super) fn new(folder: Option<&Path>, output: Output) -> Result<Self> {
        if let Some(folder) = folder {
            fs::create_dir_all(folder).map_err(|error| {
                Failure::usage(format!("{}: {error}", folder.display()))
                    .hint("name a directory that can be written")
            })?;
        }
        Ok(Self { folder: folder.map(Path::to_owned), output, blocks: 0, listed: Vec::new() })
    }

    /// Takes a block.
    ///
    /// # Errors
    /// It cannot be written.
    pub(super) fn take(&mut self, block: &ContentBlock<'_>) -> Result<()> {
        self.blocks += 1;
        let text = standalone(block);
        let label = block.timestamp_label.as_ref().map(Timestamp::as_str);
        let mut file = None;
        if let Some(folder) = &self.folder {
            let stamp: String = label
                .unwrap_or("no-label")
                .chars()
                .map(|c| if c.is_ascii_alphanumeric() || "-.+".contains(c) { c } else { '_' })
                .collect();
            let path = folder.join(format!("{:06}_{stamp}.xml", self.blocks));
            fs::write(&path, &text).map_err(|error| {
                Failure::usage(format!("{}: {error}", path.display())).hint("see the disk")
            })?;
            file = Some(path);
        }
        if self.output.format == Format::Table || self.output.format == Format::Raw {
            if self.folder.is_none() {
                write_stdout(format!("{text}\n").as_bytes())?;
            }
            return Ok(());
        }
        self.listed.push(json!({
            "label": label,
            "binding": block.binding.id,
            "subtype": block.binding.subtypes.first(),
            "message": block.message,
            "file": file,
            "content": self.folder.is_none().then_some(text),
        }));
        Ok(())
    }

    /// Tells what came.
    ///
    /// # Errors
    /// Standard output cannot be written.
    pub(super) fn finish(self, end: Option<&Timestamp>) -> Result<()> {
        let end = end.map(Timestamp::as_str);
        if self.output.format == Format::Table || self.output.format == Format::Raw {
            let upto = end.map(|end| format!(", up to {end}")).unwrap_or_default();
            beside(&self.output, &format!("{} blocks{upto}", self.blocks));
            return Ok(());
        }
        let json = json!({ "blocks": self.listed, "end": end });
        crate::output::Document::new(json, "").print(&self.output)
    }
}

/// The content as it stands alone: one element with the namespaces that it uses, or text.
pub(super) fn standalone(block: &ContentBlock<'_>) -> String {
    let inside = match &block.content {
        Content::Element(element) => content_with_scope(element),
        Content::Inside(inside) => inside.clone().into_owned(),
        other => return other.raw().to_owned(),
    };
    if let Some(text) = inside.as_text() {
        return text.into_owned();
    }
    let mut reader = inside.reader(&Options::STRICT);
    let mut out = Vec::new();
    while let Ok(Some(event)) = reader.next_event() {
        if let Event::Start(_) = event
            && let Ok(fragment) = reader.subtree()
        {
            let mut writer = bindery_xml::Writer::new(&mut out);
            writer.fragment(&fragment);
            if writer.finish().is_ok()
                && let Ok(text) = String::from_utf8(std::mem::take(&mut out))
            {
                return text;
            }
        }
    }
    inside.raw().to_owned()
}

fn content_with_scope(element: &Fragment<'_>) -> Inside<'static> {
    let mut out = Vec::new();
    let mut writer = bindery_xml::Writer::new(&mut out);
    writer.fragment(element);
    // An element that was read can be written.
    let written = writer.finish().is_ok();
    let text = String::from_utf8(out).unwrap_or_default();
    let read = self::element(&text).filter(|_| written);
    read.map(|element| content_of(&element)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn documents_are_told_from_text() {
        assert!(element("<?xml version=\"1.0\"?>\n<a xmlns='urn:a'><b/></a>\n").is_some());
        for text in ["", "10.0.0.1", "<a>", "<a/><b/>", "text <a/>"] {
            assert!(element(text).is_none(), "{text}");
        }
    }

    #[test]
    fn content_stands_alone_with_its_namespaces() {
        let mut reader = Reader::new(r#"<r xmlns:s="urn:s"><c><s:a>x</s:a></c></r>"#);
        reader.next_event().unwrap();
        reader.next_event().unwrap();
        let inside = reader.subtree().unwrap().into_inside().into_owned();
        let block = ContentBlock::new(ContentBinding::new("urn:b"), Content::Inside(inside));
        let text = standalone(&block);
        assert!(text.contains("xmlns:s=\"urn:s\"") && text.contains("<s:a"), "{text}");
        let plain = Content::Inside(Inside::text("a & b").unwrap());
        let block = ContentBlock::new(ContentBinding::new("urn:b"), plain);
        assert_eq!(standalone(&block), "a & b");
    }
}
