//! Encrypt and Decrypt with symmetric keys (KMIP 1.4, sections 4.29 and 4.30).

use bindery_ttlv::registry::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, PaddingMethod, ResultReason,
};
use bytes::Bytes;

use super::Scene;
use crate::{
    Secret,
    message::{CryptographicParameters, Failure},
    service::{Aead, Cipher, CipherRun, Fault},
};

/// The longest and the shortest tag that is written and taken, in octets (NIST SP 800-38D: 12 to 16
/// for general use).
const TAG_OCTETS: std::ops::RangeInclusive<usize> = 12..=16;

/// A symmetric key at work: what a request and the key's own parameters say together.
#[derive(Clone)]
pub(in crate::service) struct Work {
    pub(in crate::service) algorithm: Algorithm,
    pub(in crate::service) parameters: CryptographicParameters,
    pub(in crate::service) key: Secret,
    pub(in crate::service) decrypt: bool,
}

/// A block cipher in the middle of its data.
#[derive(Clone)]
pub(in crate::service) struct BlockStream {
    work: Work,
    iv: Vec<u8>,
    /// What does not fill a block, or is held back because it may be padding.
    rest: Secret,
}

/// Authenticated encryption in the middle of its data.
#[derive(Clone)]
pub(in crate::service) struct AeadStream {
    work: Work,
    nonce: Vec<u8>,
    additional: Bytes,
    /// Everything so far.
    data: Secret,
}

impl AeadStream {
    /// Takes in more. Encryption gives the ciphertext of the piece at once, which costs a pass over
    /// all there is, and its tag at the end; decryption gives nothing before the tag is seen to be
    /// good.
    pub(in crate::service) fn feed(
        &mut self,
        scene: &Scene<'_>,
        piece: &[u8],
        tag: Option<&Bytes>,
        last: bool,
    ) -> Result<Sealed, Fault> {
        let before = self.data.len();
        let most = scene.config.stream_octets;
        if before.saturating_add(piece.len()) > most {
            let text = format!("a stream of authenticated encryption has at most {most} octets");
            return Err(Failure::general_failure(text).into());
        }
        self.data = Secret::new([self.data.expose(), piece].concat());
        let nothing = Sealed { data: Secret::default(), iv: None, tag: None };
        if self.work.decrypt && !last {
            return Ok(nothing);
        }
        let (data, tag) = self.work.aead(scene, &self.data, &self.nonce, &self.additional, tag)?;
        if self.work.decrypt {
            return Ok(Sealed { data, ..nothing });
        }
        let data = Secret::from(data.expose().get(before..).unwrap_or_default());
        Ok(Sealed { data, iv: None, tag: tag.filter(|_| last) })
    }
}

/// What an encryption gives.
pub(in crate::service) struct Sealed {
    pub(in crate::service) data: Secret,
    /// The IV that the server chose.
    pub(in crate::service) iv: Option<Bytes>,
    pub(in crate::service) tag: Option<Bytes>,
}

fn bad(text: impl Into<bindery_ttlv::Text>) -> Failure {
    Failure::new(ResultReason::BAD_CRYPTOGRAPHIC_PARAMETERS, text)
}

impl Work {
    /// Whether the cipher authenticates.
    pub(in crate::service) fn is_aead(&self) -> bool {
        matches!(self.parameters.block_cipher_mode, Some(Mode::GCM | Mode::AEAD))
            || self.algorithm == Algorithm::CHACHA20POLY1305
    }

    fn mode(&self) -> Result<Mode, Failure> {
        match self.parameters.block_cipher_mode {
            Some(mode) => Ok(mode),
            // A stream cipher has none, and one is passed over.
            None if self.algorithm == Algorithm::CHACHA20 => Ok(Mode::ECB),
            None => Err(bad(
                "no Block Cipher Mode: neither the request nor the key's Cryptographic Parameters \
                 name one",
            )),
        }
    }

    fn block(&self) -> usize {
        match self.algorithm {
            Algorithm::DES3 => 8,
            Algorithm::CHACHA20 => 1,
            _ => 16,
        }
    }

    /// Whether the data has to fill blocks.
    fn is_whole(&self) -> Result<bool, Failure> {
        Ok(self.algorithm != Algorithm::CHACHA20 && matches!(self.mode()?, Mode::ECB | Mode::CBC))
    }

    fn pads(&self) -> Result<bool, Failure> {
        if !self.is_whole()? {
            return Ok(false);
        }
        match self.parameters.padding_method {
            None | Some(PaddingMethod::NONE) => Ok(false),
            Some(PaddingMethod::PKCS5) => Ok(true),
            Some(other) => Err(bad(format!("the padding {other:?} is not offered"))),
        }
    }

    fn needs_iv(&self) -> Result<bool, Failure> {
        Ok(self.algorithm == Algorithm::CHACHA20 || self.mode()? != Mode::ECB)
    }

    /// The IV to work with, and whether the server made it.
    fn iv(&self, scene: &Scene<'_>, given: Option<&Bytes>) -> Result<(Vec<u8>, bool), Fault> {
        if !self.is_aead() && !self.needs_iv()? {
            return Ok((Vec::new(), false));
        }
        if let Some(given) = given {
            return Ok((given.to_vec(), false));
        }
        let random = self.parameters.random_iv == Some(true) && !self.decrypt;
        if !random {
            return Err(Failure::invalid_message(
                "the IV/Counter/Nonce is missing, and no Random IV is asked for",
            )
            .into());
        }
        let octets = match (self.is_aead(), self.algorithm) {
            (true, _) | (_, Algorithm::CHACHA20) => 12,
            _ => self.block(),
        };
        let mut iv = vec![0; octets];
        scene.crypto.fill_random(&mut iv)?;
        Ok((iv, true))
    }

    /// Runs the cipher once, over everything.
    pub(in crate::service) fn run(
        &self,
        scene: &Scene<'_>,
        data: &Secret,
        iv: Option<&Bytes>,
        additional: &[u8],
        tag: Option<&Bytes>,
    ) -> Result<Sealed, Fault> {
        let (iv, made) = self.iv(scene, iv)?;
        let shown = made.then(|| Bytes::copy_from_slice(&iv));
        if self.is_aead() {
            let (data, tag) = self.aead(scene, data, &iv, additional, tag)?;
            return Ok(Sealed { data, iv: shown, tag });
        }
        let mut stream = BlockStream { work: self.clone(), iv, rest: Secret::default() };
        let data = stream.feed(scene, data.expose(), true)?;
        Ok(Sealed { data, iv: shown, tag: None })
    }

    /// A stream of a cipher that does not need everything at once; with the IV that was made.
    pub(in crate::service) fn begin(
        &self,
        scene: &Scene<'_>,
        iv: Option<&Bytes>,
    ) -> Result<(BlockStream, Option<Bytes>), Fault> {
        let (iv, made) = self.iv(scene, iv)?;
        let shown = made.then(|| Bytes::copy_from_slice(&iv));
        // Says what is wrong with mode and padding before there is data.
        self.pads()?;
        Ok((BlockStream { work: self.clone(), iv, rest: Secret::default() }, shown))
    }

    /// A stream of authenticated encryption; with the nonce that was made.
    pub(in crate::service) fn begin_aead(
        &self,
        scene: &Scene<'_>,
        iv: Option<&Bytes>,
        additional: Bytes,
    ) -> Result<(AeadStream, Option<Bytes>), Fault> {
        let (nonce, made) = self.iv(scene, iv)?;
        let shown = made.then(|| Bytes::copy_from_slice(&nonce));
        let work = self.clone();
        Ok((AeadStream { work, nonce, additional, data: Secret::default() }, shown))
    }

    fn tag_length(&self, given: Option<usize>) -> Result<usize, Failure> {
        let asked = self.parameters.tag_length.map(usize::try_from).transpose().ok().flatten();
        let length = asked.or(given).unwrap_or(16);
        let wrong = self.parameters.tag_length.is_some() && asked.is_none();
        if wrong || !TAG_OCTETS.contains(&length) || given.is_some_and(|given| given != length) {
            return Err(Failure::general_failure("a tag has 12 to 16 octets"));
        }
        Ok(length)
    }

    /// Encrypts or decrypts with authentication. A shortened tag is the beginning of the whole one:
    /// the cipher is run over the ciphertext, which gives the plaintext back because it adds the
    /// same key stream, and over that again for its tag.
    fn aead(
        &self,
        scene: &Scene<'_>,
        data: &Secret,
        nonce: &[u8],
        additional: &[u8],
        tag: Option<&Bytes>,
    ) -> Result<(Secret, Option<Bytes>), Fault> {
        let aead = Aead { algorithm: self.algorithm, key: self.key.expose(), nonce, additional };
        let mut buffer = zeroize::Zeroizing::new(data.expose().to_vec());
        if !self.decrypt {
            let length = self.tag_length(None)?;
            let tag = scene.crypto.seal(aead, &mut buffer)?;
            let tag = tag.get(..length).map(Bytes::copy_from_slice);
            return Ok((Secret::from(buffer.as_slice()), tag));
        }
        let Some(tag) = tag else {
            return Err(
                Failure::invalid_message("the Authenticated Encryption Tag is missing").into()
            );
        };
        let length = self.tag_length(Some(tag.len()))?;
        scene.crypto.seal(aead, &mut buffer)?;
        let mut again = zeroize::Zeroizing::new(buffer.to_vec());
        let whole = scene.crypto.seal(aead, &mut again)?;
        let same = whole
            .get(..length)
            .is_some_and(|expected| subtle::ConstantTimeEq::ct_eq(expected, &tag[..]).into());
        if !same {
            return Err(Failure::cryptographic_failure(
                "the data, the nonce or what goes with them is not what was encrypted",
            )
            .into());
        }
        Ok((Secret::from(buffer.as_slice()), None))
    }
}

impl BlockStream {
    /// Takes in more, and gives what can be given. The last piece says so.
    pub(in crate::service) fn feed(
        &mut self,
        scene: &Scene<'_>,
        data: &[u8],
        last: bool,
    ) -> Result<Secret, Fault> {
        let mut buffer = zeroize::Zeroizing::new(Vec::with_capacity(
            self.rest.len().saturating_add(data.len()).saturating_add(16),
        ));
        buffer.extend_from_slice(self.rest.expose());
        buffer.extend_from_slice(data);
        let (block, pads) = (self.work.block(), self.work.pads()?);
        let whole = buffer.len() / block * block;
        let now = match (last, self.work.decrypt && pads) {
            (true, true) => {
                if buffer.is_empty() || whole != buffer.len() {
                    return Err(not_whole(block).into());
                }
                whole
            }
            (true, false) if pads => {
                let missing = block - buffer.len() % block;
                let octet = u8::try_from(missing).unwrap_or(0);
                let length = buffer.len() + missing;
                buffer.resize(length, octet);
                length
            }
            (true, false) if self.work.is_whole()? && whole != buffer.len() => {
                return Err(not_whole(block).into());
            }
            (true, false) => buffer.len(),
            // The last block may be padding, which only the end tells.
            (false, true) if whole == buffer.len() => whole.saturating_sub(block),
            (false, _) => whole,
        };
        self.rest = Secret::from(buffer.get(now..).unwrap_or_default());
        buffer.truncate(now);
        self.run(scene, &mut buffer)?;
        if last && self.work.decrypt && pads {
            unpad(&mut buffer, block)?;
        }
        Ok(Secret::from(buffer.as_slice()))
    }

    fn run(&mut self, scene: &Scene<'_>, buffer: &mut [u8]) -> Result<(), Fault> {
        if buffer.is_empty() {
            return Ok(());
        }
        let mode = self.work.mode()?;
        let before = zeroize::Zeroizing::new(buffer.to_vec());
        let cipher = Cipher::new(self.work.algorithm, mode, self.work.decrypt);
        let run = CipherRun { key: self.work.key.expose(), iv: &self.iv, data: buffer };
        scene.crypto.cipher(cipher, run)?;
        self.advance(mode, &before, buffer);
        Ok(())
    }

    /// What the next blocks begin with.
    fn advance(&mut self, mode: Mode, input: &[u8], output: &[u8]) {
        let block = self.work.block();
        let ciphertext = if self.work.decrypt { input } else { output };
        let last = |octets: &[u8]| octets.rchunks_exact(block).next().map(<[u8]>::to_vec);
        match mode {
            Mode::CBC | Mode::CFB => self.iv = last(ciphertext).unwrap_or_default(),
            Mode::OFB => {
                if let (Some(input), Some(output)) = (last(input), last(output)) {
                    self.iv = input.iter().zip(&output).map(|(a, b)| a ^ b).collect();
                }
            }
            Mode::CTR => {
                let blocks = u128::try_from(output.len() / block).unwrap_or(0);
                if let Ok(counter) = <[u8; 16]>::try_from(self.iv.as_slice()) {
                    let next = u128::from_be_bytes(counter).wrapping_add(blocks);
                    self.iv = next.to_be_bytes().to_vec();
                }
            }
            _ => {}
        }
    }

    /// How many octets it holds back.
    pub(in crate::service) fn held(&self) -> usize {
        self.rest.len()
    }

    /// Whether the cipher can be gone on with from block to block: ChaCha20 begins at block 0 here.
    pub(in crate::service) fn can_stream(work: &Work) -> bool {
        work.algorithm != Algorithm::CHACHA20
    }
}

fn not_whole(block: usize) -> Failure {
    Failure::cryptographic_failure(format!(
        "the data does not fill blocks of {block} octets; ask for the padding PKCS5"
    ))
}

/// Takes PKCS#5 padding off (RFC 8018, section 6.1.1).
fn unpad(buffer: &mut Vec<u8>, block: usize) -> Result<(), Failure> {
    let refused = || Failure::cryptographic_failure("the data does not end in padding");
    let count = usize::from(*buffer.last().ok_or_else(refused)?);
    let start = buffer.len().checked_sub(count).filter(|_| (1..=block).contains(&count));
    let start = start.ok_or_else(refused)?;
    let padding = buffer.get(start..).unwrap_or_default();
    if padding.iter().any(|octet| usize::from(*octet) != count) {
        return Err(refused());
    }
    buffer.truncate(start);
    Ok(())
}

impl Sealed {
    /// The data for an answer: a stream's piece may give none.
    pub(in crate::service) fn data_of(&self, whole: bool) -> Option<Secret> {
        (whole || !self.data.is_empty()).then(|| self.data.clone())
    }
}
