//! Reading a message that arrives in pieces.

use crate::error::Error;
use crate::reader::{Assembler, Options, Read};
use crate::walker::Next;

/// Reads a message as its bytes arrive. It holds one content block at a time, whatever the message's length.
///
/// ```
/// use bindery_taxii_xml::{Options, Progress, PushReader, Read};
///
/// let message = r#"<Discovery_Request xmlns="http://taxii.mitre.org/messages/taxii_xml_binding-1.1" message_id="1"/>"#;
/// let mut reader = PushReader::new(&Options::STRICT);
/// let mut pieces = Vec::new();
/// for bytes in message.as_bytes().chunks(7) {
///     reader.feed(bytes);
///     while let Progress::Piece(piece) = reader.next_piece()? {
///         pieces.push(piece);
///     }
/// }
/// reader.finish();
/// while let Progress::Piece(piece) = reader.next_piece()? {
///     pieces.push(piece);
/// }
/// assert!(matches!(pieces.as_slice(), [Read::Head(head), Read::End(_)] if head.message.id == "1"));
/// # Ok::<(), bindery_taxii_xml::Error>(())
/// ```
#[derive(Debug)]
pub struct PushReader {
    xml: bindery_xml::PushReader,
    assembler: Assembler<'static>,
    keeping: bool,
}

/// What [`PushReader::next_piece`] found.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Progress {
    /// A piece.
    Piece(Read<'static>),
    /// Nothing yet: feed more, or finish.
    NeedInput,
    /// The document has ended.
    End,
}

impl PushReader {
    /// A reader at the start of a document.
    pub fn new(options: &Options) -> Self {
        let xml = bindery_xml::PushReader::with_options(&options.xml);
        Self { xml, assembler: Assembler::new(options), keeping: false }
    }

    /// Takes the next bytes, any number.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.xml.feed(bytes);
    }

    /// Says that the document has ended.
    pub fn finish(&mut self) {
        self.xml.finish();
    }

    /// The next piece, or what is needed to find it.
    ///
    /// # Errors
    /// The first fault; every later call returns it again.
    pub fn next_piece(&mut self) -> Result<Progress, Error> {
        loop {
            if let Some(piece) = self.assembler.piece()? {
                return Ok(Progress::Piece(piece));
            }
            if self.keeping {
                match self.xml.subtree() {
                    Ok(Some(fragment)) => {
                        self.keeping = false;
                        let kept = self.assembler.kept(fragment);
                        kept.map_err(|fault| self.assembler.fail(fault, self.xml.position()))?;
                        continue;
                    }
                    Ok(None) => return Ok(Progress::NeedInput),
                    Err(error) => return Err(self.assembler.broken(error)),
                }
            }
            let step = match self.xml.next_event() {
                Ok(bindery_xml::Progress::Event(event)) => self.assembler.event(&event),
                Ok(bindery_xml::Progress::NeedInput) => return Ok(Progress::NeedInput),
                Ok(_) => return Ok(Progress::End),
                Err(error) => return Err(self.assembler.broken(error)),
            };
            let next = step.map_err(|fault| self.assembler.fail(fault, self.xml.position()))?;
            self.keeping = next == Next::Keep;
        }
    }
}
