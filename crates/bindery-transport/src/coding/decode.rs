//! Undoing a content coding while the body comes in.

use std::{
    io::{self, Write},
    pin::Pin,
    task::{Context, Poll, ready},
};

use bindery_core::{Body, BodyError, ContentCoding};
use bytes::Bytes;
use flate2::{Decompress, FlushDecompress, Status, write::MultiGzDecoder};
use http_body::{Body as HttpBody, Frame};

/// A body whose coding is undone as it is read.
pub(super) struct Decoding {
    body: Body,
    /// `None` once the end or a fault was told.
    decoder: Option<Decoder>,
    limit: u64,
}

impl Decoding {
    pub(super) fn new(coding: ContentCoding, body: Body, limit: u64) -> Self {
        let out = Bounded { octets: Vec::new(), left: limit, over: false };
        let decoder = match coding {
            ContentCoding::Gzip => Decoder::Gzip(Box::new(MultiGzDecoder::new(out))),
            ContentCoding::Deflate => {
                Decoder::Deflate { zlib: Decompress::new(true), ended: false, out }
            }
            other => Decoder::Unknown { name: other.name() },
        };
        Self { body, decoder: Some(decoder), limit }
    }

    fn fail(&mut self, error: &io::Error) -> BodyError {
        let Some(mut decoder) = self.decoder.take() else {
            return BodyError::Coding(error.to_string());
        };
        if decoder.out().is_some_and(|out| out.over) {
            return BodyError::TooLarge { limit: self.limit };
        }
        match decoder {
            Decoder::Unknown { name } => BodyError::Coding(format!("{name} is not known")),
            _ => BodyError::Coding(error.to_string()),
        }
    }
}

impl HttpBody for Decoding {
    type Data = Bytes;
    type Error = BodyError;

    fn poll_frame(
        self: Pin<&mut Self>,
        cx: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, BodyError>>> {
        let this = self.get_mut();
        loop {
            let Some(decoder) = &mut this.decoder else { return Poll::Ready(None) };
            let stepped = match ready!(Pin::new(&mut this.body).poll_frame(cx)) {
                Some(Err(error)) => {
                    this.decoder = None;
                    return Poll::Ready(Some(Err(error)));
                }
                Some(Ok(frame)) => match frame.into_data() {
                    Ok(data) => decoder.push(&data).map(|()| false),
                    // Trailers: nothing of the content.
                    Err(_) => continue,
                },
                None => decoder.end().map(|()| true),
            };
            let ended = match stepped {
                Ok(ended) => ended,
                Err(error) => return Poll::Ready(Some(Err(this.fail(&error)))),
            };
            let octets = decoder.out().map(|out| std::mem::take(&mut out.octets));
            if ended {
                this.decoder = None;
            }
            match octets {
                Some(octets) if !octets.is_empty() => {
                    return Poll::Ready(Some(Ok(Frame::data(octets.into()))));
                }
                _ => {}
            }
        }
    }
}

enum Decoder {
    Gzip(Box<MultiGzDecoder<Bounded>>),
    Deflate {
        zlib: Decompress,
        ended: bool,
        out: Bounded,
    },
    /// A coding that core has learnt and this module has not.
    Unknown {
        name: &'static str,
    },
}

impl Decoder {
    fn out(&mut self) -> Option<&mut Bounded> {
        match self {
            Self::Gzip(decoder) => Some(decoder.get_mut()),
            Self::Deflate { out, .. } => Some(out),
            Self::Unknown { .. } => None,
        }
    }

    fn push(&mut self, input: &[u8]) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.write_all(input),
            Self::Deflate { zlib, ended, out } => inflate(zlib, ended, input, out),
            Self::Unknown { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }

    fn end(&mut self) -> io::Result<()> {
        match self {
            Self::Gzip(decoder) => decoder.try_finish(),
            Self::Deflate { ended: true, .. } => Ok(()),
            Self::Deflate { .. } => Err(early()),
            Self::Unknown { .. } => Err(io::ErrorKind::Unsupported.into()),
        }
    }
}

fn early() -> io::Error {
    io::Error::new(io::ErrorKind::UnexpectedEof, "the coded content ends early")
}

fn inflate(
    zlib: &mut Decompress,
    ended: &mut bool,
    mut input: &[u8],
    out: &mut Bounded,
) -> io::Result<()> {
    let mut piece = [0; 8192];
    loop {
        if *ended {
            let rest = "octets follow the end of the coded content";
            return if input.is_empty() { Ok(()) } else { Err(io::Error::other(rest)) };
        }
        let (read, made) = (zlib.total_in(), zlib.total_out());
        let status = zlib.decompress(input, &mut piece, FlushDecompress::None)?;
        let read = usize::try_from(zlib.total_in() - read).unwrap_or(usize::MAX);
        let made = usize::try_from(zlib.total_out() - made).unwrap_or(usize::MAX);
        out.write_all(piece.get(..made).unwrap_or_default())?;
        input = input.get(read..).unwrap_or_default();
        *ended = status == Status::StreamEnd;
        if !*ended && input.is_empty() && made < piece.len() {
            return Ok(());
        }
        if !*ended && read == 0 && made == 0 {
            return Err(io::Error::other("the coded content makes no progress"));
        }
    }
}

/// Takes octets up to a bound in sum.
struct Bounded {
    octets: Vec<u8>,
    left: u64,
    over: bool,
}

impl Write for Bounded {
    fn write(&mut self, octets: &[u8]) -> io::Result<usize> {
        match self.left.checked_sub(octets.len() as u64) {
            Some(left) => self.left = left,
            None => {
                self.over = true;
                return Err(io::Error::other("the decoded content is longer than the limit"));
            }
        }
        self.octets.extend_from_slice(octets);
        Ok(octets.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
