//! The items that use keys: Encrypt, Decrypt, Sign, Signature Verify, MAC, MAC Verify, Hash, RNG
//! Retrieve and RNG Seed, whole or in pieces.

use bindery_ttlv::registry::{
    CryptographicUsageMask as Mask, ObjectType, Operation, ResultReason, ValidityIndicator,
};
use bytes::Bytes;

use super::{Batch, Fault};
use crate::{
    Secret,
    message::{
        DecryptRequest, DecryptResponse, EncryptRequest, EncryptResponse, Failure, HashRequest,
        HashResponse, MacRequest, MacResponse, MacVerifyRequest, MacVerifyResponse, RequestPayload,
        ResponsePayload, RngRetrieveRequest, RngRetrieveResponse, RngSeedRequest, RngSeedResponse,
        SignRequest, SignResponse, SignatureVerifyRequest, SignatureVerifyResponse,
        UniqueIdentifier,
    },
    service::{
        Message, Running,
        object::Object,
        operation::{
            cipher::{BlockStream, Sealed, Work},
            cryptography::{
                Use, mac_hash, octets, parameters, private, public, rsa_scheme, signature_scheme,
                spend, work,
            },
        },
        stream::{Stream, StreamState},
    },
};

/// The part of its data that a request brings.
enum Piece {
    /// All of it.
    Whole,
    /// The first of several.
    First,
    /// A later one of the stream with this Correlation Value.
    More(Bytes),
}

fn piece(init: Option<bool>, correlation: Option<&Bytes>) -> Piece {
    match (correlation, init) {
        (Some(value), _) => Piece::More(value.clone()),
        (None, Some(true)) => Piece::First,
        (None, _) => Piece::Whole,
    }
}

impl Batch<'_> {
    /// Does one of these operations.
    pub(super) async fn cryptographic(
        &mut self,
        payload: &RequestPayload,
    ) -> Result<ResponsePayload, Fault> {
        match payload {
            RequestPayload::Encrypt(request) => Ok(self.encrypt(request).await?.into()),
            RequestPayload::Decrypt(request) => Ok(self.decrypt(request).await?.into()),
            RequestPayload::Sign(request) => Ok(self.sign(request).await?.into()),
            RequestPayload::SignatureVerify(request) => {
                Ok(self.signature_verify(request).await?.into())
            }
            RequestPayload::Mac(request) => Ok(self.mac(request).await?.into()),
            RequestPayload::MacVerify(request) => Ok(self.mac_verify(request).await?.into()),
            RequestPayload::Hash(request) => Ok(self.hash(request)?.into()),
            RequestPayload::RngRetrieve(request) => Ok(self.rng_retrieve(request)?.into()),
            RequestPayload::RngSeed(request) => Ok(self.rng_seed(request)?.into()),
            other => Err(super::not_supported(other.operation()).into()),
        }
    }

    /// A key that may be used so.
    async fn key(&mut self, uid: Option<&UniqueIdentifier>, usage: Use) -> Result<Object, Fault> {
        let object = self.object(uid).await?;
        usage.check(&self.scene, &object)?;
        Ok(object)
    }

    /// Counts what is protected against the key's Usage Limits.
    fn spend(&mut self, object: &Object, octets: usize) -> Result<(), Fault> {
        if let Some(limits) = spend(object, octets)? {
            let mut object = object.clone();
            object.set(limits.into());
            self.put(object)?;
        }
        Ok(())
    }

    async fn encrypt(&mut self, request: &EncryptRequest) -> Result<EncryptResponse, Fault> {
        let usage = Use::protect("Encrypt", Mask::ENCRYPT);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let data = request.data.clone().unwrap_or_default();
        self.left.answer(data.len())?;
        let mut response = EncryptResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        if object.object_type == ObjectType::PUBLIC_KEY {
            whole_only(request.init_indicator, request.correlation_value.as_ref())?;
            let scheme = rsa_scheme(&asked)?;
            let spki = public(&self.scene, &object)?;
            let out = self.scene.crypto.rsa_encrypt(&scheme, &spki, data.expose())?;
            response.data = Some(Secret::new(out));
        } else {
            let additional = request.authenticated_encryption_additional_data.clone();
            let (sealed, correlation) = self.ciphered(
                &object,
                (Operation::ENCRYPT, || work(&object, asked.clone(), false)),
                (&data, request.iv_counter_nonce.as_ref(), additional.unwrap_or_default(), None),
                (request.init_indicator, request.correlation_value.as_ref()),
                request.final_indicator == Some(true),
            )?;
            response.data = sealed.data_of(
                correlation.is_none()
                    && !streamed(request.init_indicator, request.correlation_value.as_ref()),
            );
            response.iv_counter_nonce = sealed.iv;
            response.authenticated_encryption_tag = sealed.tag;
            response.correlation_value = correlation;
        }
        self.spend(&object, data.len())?;
        Ok(response)
    }

    async fn decrypt(&mut self, request: &DecryptRequest) -> Result<DecryptResponse, Fault> {
        let usage = Use::process("Decrypt", Mask::DECRYPT);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let data = request.data.clone().unwrap_or_default();
        self.left.answer(data.len())?;
        let mut response = DecryptResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        if object.object_type == ObjectType::PRIVATE_KEY {
            whole_only(request.init_indicator, request.correlation_value.as_ref())?;
            let scheme = rsa_scheme(&asked)?;
            let pkcs8 = private(&self.scene, &object)?;
            let plain = self.scene.crypto.rsa_decrypt(&scheme, pkcs8.expose(), data.expose())?;
            response.data = Some(plain);
            return Ok(response);
        }
        let additional = request.authenticated_encryption_additional_data.clone();
        let tag = request.authenticated_encryption_tag.as_ref();
        let (sealed, correlation) = self.ciphered(
            &object,
            (Operation::DECRYPT, || work(&object, asked.clone(), true)),
            (&data, request.iv_counter_nonce.as_ref(), additional.unwrap_or_default(), tag),
            (request.init_indicator, request.correlation_value.as_ref()),
            request.final_indicator == Some(true),
        )?;
        response.data = sealed.data_of(
            correlation.is_none()
                && !streamed(request.init_indicator, request.correlation_value.as_ref()),
        );
        response.correlation_value = correlation;
        Ok(response)
    }

    /// Runs a cipher over what a request brings; with the stream's Correlation Value while it goes
    /// on.
    fn ciphered(
        &mut self,
        object: &Object,
        (operation, work): (Operation, impl Fn() -> Result<Work, Failure>),
        (data, iv, additional, tag): (&Secret, Option<&Bytes>, Bytes, Option<&Bytes>),
        (init, correlation): (Option<bool>, Option<&Bytes>),
        last: bool,
    ) -> Result<(Sealed, Option<Bytes>), Fault> {
        let scene = self.scene;
        match piece(init, correlation) {
            Piece::Whole => Ok((work()?.run(&scene, data, iv, &additional, tag)?, None)),
            Piece::First => {
                let work = work()?;
                if work.is_aead() {
                    let (mut held, iv) = work.begin_aead(&scene, iv, additional)?;
                    let mut sealed = held.feed(&scene, data.expose(), tag, last)?;
                    sealed.iv = iv;
                    let value = self.open(operation, object, StreamState::Held(held), last)?;
                    return Ok((sealed, value));
                }
                if !BlockStream::can_stream(&work) {
                    let text = "ChaCha20 without Poly1305 takes its data in one request here";
                    return Err(Failure::feature_not_supported(text).into());
                }
                let (mut blocks, iv) = work.begin(&scene, iv)?;
                let data = blocks.feed(&scene, data.expose(), last)?;
                let state = StreamState::Blocks(blocks);
                let value = self.open(operation, object, state, last)?;
                Ok((Sealed { data, iv, tag: None }, value))
            }
            Piece::More(value) => {
                let mut stream = self.stream(&value, operation, object)?;
                if let StreamState::Held(held) = &mut stream.state {
                    let sealed = held.feed(&scene, data.expose(), tag, last)?;
                    return Ok((sealed, self.go_on(value, stream, last)));
                }
                let StreamState::Blocks(blocks) = &mut stream.state else {
                    return Err(no_stream().into());
                };
                let data = blocks.feed(&scene, data.expose(), last)?;
                self.hold(blocks.held())?;
                let value = self.go_on(value, stream, last);
                Ok((Sealed { data, iv: None, tag: None }, value))
            }
        }
    }

    /// Feeds a hash or MAC with what a request brings: its value at the end, and until then the
    /// Correlation Value.
    fn fed(
        &mut self,
        (operation, object): (Operation, Option<&Object>),
        begin: impl FnOnce(&Self) -> Result<Box<dyn Running>, Fault>,
        data: Option<&Secret>,
        (init, correlation): (Option<bool>, Option<&Bytes>),
        last: bool,
    ) -> Result<(Option<Vec<u8>>, Option<Bytes>), Fault> {
        let data = data.map(Secret::expose).unwrap_or_default();
        match piece(init, correlation) {
            Piece::Whole => {
                let mut running = begin(self)?;
                running.update(data);
                Ok((Some(running.finish()), None))
            }
            Piece::First => {
                let mut running = begin(self)?;
                running.update(data);
                if last {
                    return Ok((Some(running.finish()), None));
                }
                let state = StreamState::Running(running);
                Ok((None, self.open_for(operation, object, state, false)?))
            }
            Piece::More(value) => {
                let mut stream = self.stream_for(&value, operation, object)?;
                let StreamState::Running(running) = &mut stream.state else {
                    return Err(no_stream().into());
                };
                running.update(data);
                if last {
                    let finished = running.copied().finish();
                    drop(self.go_on(value, stream, true));
                    return Ok((Some(finished), None));
                }
                Ok((None, self.go_on(value, stream, false)))
            }
        }
    }

    async fn mac(&mut self, request: &MacRequest) -> Result<MacResponse, Fault> {
        let usage = Use::protect("MAC", Mask::MAC_GENERATE);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let mut response = MacResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        let (value, correlation) = self.fed(
            (Operation::MAC, Some(&object)),
            |batch| {
                let hash = mac_hash(&object, &asked)?;
                Ok(batch.scene.crypto.hmac(hash, octets(&object)?.expose())?)
            },
            request.data.as_ref(),
            (request.init_indicator, request.correlation_value.as_ref()),
            request.final_indicator == Some(true),
        )?;
        self.spend(&object, request.data.as_ref().map_or(0, Secret::len))?;
        response.mac_data = value.map(Bytes::from);
        response.correlation_value = correlation;
        Ok(response)
    }

    async fn mac_verify(&mut self, request: &MacVerifyRequest) -> Result<MacVerifyResponse, Fault> {
        let usage = Use::process("MAC Verify", Mask::MAC_VERIFY);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let mut response = MacVerifyResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        let (value, correlation) = self.fed(
            (Operation::MAC_VERIFY, Some(&object)),
            |batch| {
                let hash = mac_hash(&object, &asked)?;
                Ok(batch.scene.crypto.hmac(hash, octets(&object)?.expose())?)
            },
            request.data.as_ref(),
            (request.init_indicator, request.correlation_value.as_ref()),
            request.final_indicator == Some(true),
        )?;
        if let Some(value) = value {
            let given = request.mac_data.clone().ok_or_else(|| missing("MAC Data"))?;
            let same: bool = subtle::ConstantTimeEq::ct_eq(value.as_slice(), &given[..]).into();
            response.validity_indicator = Some(validity(same));
        }
        response.correlation_value = correlation;
        Ok(response)
    }

    fn hash(&mut self, request: &HashRequest) -> Result<HashResponse, Fault> {
        let hash = request.cryptographic_parameters.hashing_algorithm;
        let (value, correlation) = self.fed(
            (Operation::HASH, None),
            |batch| {
                let hash = hash.ok_or_else(|| missing("Hashing Algorithm"))?;
                Ok(batch.scene.crypto.hash(hash)?)
            },
            request.data.as_ref(),
            (request.init_indicator, request.correlation_value.as_ref()),
            request.final_indicator == Some(true),
        )?;
        let data = value.map(Bytes::from);
        Ok(HashResponse { data, correlation_value: correlation, ..HashResponse::default() })
    }

    async fn sign(&mut self, request: &SignRequest) -> Result<SignResponse, Fault> {
        let usage = Use::protect("Sign", Mask::SIGN);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let mut response = SignResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        let scheme = signature_scheme(&object, &asked)?;
        let pkcs8 = private(&self.scene, &object)?;
        let stream = (request.init_indicator, request.correlation_value.as_ref());
        let (digest, correlation) = match (&request.digested_data, streamed(stream.0, stream.1)) {
            (Some(digest), _) => (Some(digest.to_vec()), None),
            (None, false) => (None, None),
            (None, true) => self.fed(
                (Operation::SIGN, Some(&object)),
                |batch| {
                    let hash = scheme.hash().ok_or_else(unstreamed)?;
                    Ok(batch.scene.crypto.hash(hash)?)
                },
                request.data.as_ref(),
                stream,
                request.final_indicator == Some(true),
            )?,
        };
        response.correlation_value = correlation;
        if response.correlation_value.is_none() {
            let data = request.data.clone().unwrap_or_default();
            let message = match &digest {
                Some(digest) => Message::Digest(digest),
                None => Message::Data(data.expose()),
            };
            let signature = self.scene.crypto.sign(&scheme, pkcs8.expose(), message)?;
            response.signature_data = Some(Bytes::from(signature));
        }
        self.spend(&object, request.data.as_ref().map_or(0, Secret::len))?;
        Ok(response)
    }

    async fn signature_verify(
        &mut self,
        request: &SignatureVerifyRequest,
    ) -> Result<SignatureVerifyResponse, Fault> {
        let usage = Use::process("Signature Verify", Mask::VERIFY);
        let object = self.key(request.unique_identifier.as_ref(), usage).await?;
        let mut response = SignatureVerifyResponse::new(object.uid.as_str());
        let asked = parameters(&object, request.cryptographic_parameters.as_deref());
        let scheme = signature_scheme(&object, &asked)?;
        let spki = public(&self.scene, &object)?;
        let stream = (request.init_indicator, request.correlation_value.as_ref());
        let (digest, correlation) = match (&request.digested_data, streamed(stream.0, stream.1)) {
            (Some(digest), _) => (Some(digest.to_vec()), None),
            (None, false) => (None, None),
            (None, true) => self.fed(
                (Operation::SIGNATURE_VERIFY, Some(&object)),
                |batch| {
                    let hash = scheme.hash().ok_or_else(unstreamed)?;
                    Ok(batch.scene.crypto.hash(hash)?)
                },
                request.data.as_ref(),
                stream,
                request.final_indicator == Some(true),
            )?,
        };
        response.correlation_value = correlation;
        if response.correlation_value.is_none() {
            let signature =
                request.signature_data.as_ref().ok_or_else(|| missing("Signature Data"))?;
            let data = request.data.clone().unwrap_or_default();
            let message = match &digest {
                Some(digest) => Message::Digest(digest),
                None => Message::Data(data.expose()),
            };
            let good = self.scene.crypto.verify(&scheme, &spki, message, signature)?;
            response.validity_indicator = Some(validity(good));
        }
        Ok(response)
    }

    fn rng_retrieve(&mut self, request: &RngRetrieveRequest) -> Result<RngRetrieveResponse, Fault> {
        let octets = usize::try_from(request.data_length).ok().filter(|octets| *octets > 0);
        let most = self.scene.config.object_octets;
        let octets = octets.filter(|octets| *octets <= most).ok_or_else(|| {
            Failure::invalid_field(format!("the Data Length is between 1 and {most} here"))
        })?;
        self.left.answer(octets)?;
        Ok(RngRetrieveResponse::new(self.scene.crypto.random_secret(octets)?))
    }

    fn rng_seed(&mut self, request: &RngSeedRequest) -> Result<RngSeedResponse, Fault> {
        let used = self.scene.crypto.seed(request.data.expose());
        Ok(RngSeedResponse::new(i32::try_from(used).unwrap_or(i32::MAX)))
    }

    fn open(
        &mut self,
        operation: Operation,
        object: &Object,
        state: StreamState,
        last: bool,
    ) -> Result<Option<Bytes>, Fault> {
        self.open_for(operation, Some(object), state, last)
    }

    /// A new stream; its Correlation Value unless this was already all of it.
    fn open_for(
        &mut self,
        operation: Operation,
        object: Option<&Object>,
        state: StreamState,
        last: bool,
    ) -> Result<Option<Bytes>, Fault> {
        if last {
            return Ok(None);
        }
        let config = self.scene.config;
        let begun = self.stream_changes.values().flatten().count();
        if !self.streams.has_room(config.streams.saturating_sub(begun), self.scene.now) {
            let text = format!("{} streams are open; end some", config.streams);
            return Err(Failure::general_failure(text).into());
        }
        let mut value = vec![0; 16];
        self.scene.crypto.fill_random(&mut value)?;
        let value = Bytes::from(value);
        let stream = Stream {
            owner: self.scene.principal.clone(),
            operation,
            uid: object.map(|object| object.uid.clone()).unwrap_or_default(),
            state,
            last: self.scene.now,
        };
        self.stream_changes.insert(value.clone(), Some(stream));
        Ok(Some(value))
    }

    fn stream(
        &self,
        value: &Bytes,
        operation: Operation,
        object: &Object,
    ) -> Result<Stream, Failure> {
        self.stream_for(value, operation, Some(object))
    }

    /// The stream of a Correlation Value, as this batch has it.
    fn stream_for(
        &self,
        value: &Bytes,
        operation: Operation,
        object: Option<&Object>,
    ) -> Result<Stream, Failure> {
        let stream = match self.stream_changes.get(value) {
            Some(changed) => changed.as_ref().map(Stream::copied),
            None => self.streams.get(value, self.scene.principal),
        };
        let uid = object.map(|object| object.uid.as_str()).unwrap_or_default();
        stream
            .filter(|stream| stream.operation == operation && stream.uid == uid)
            .ok_or_else(no_stream)
    }

    /// The stream waits for its next piece, or has come to its end.
    fn go_on(&mut self, value: Bytes, mut stream: Stream, last: bool) -> Option<Bytes> {
        stream.last = self.scene.now;
        let left = (!last).then_some(stream);
        self.stream_changes.insert(value.clone(), left);
        (!last).then_some(value)
    }

    fn hold(&self, octets: usize) -> Result<(), Failure> {
        if octets > self.scene.config.stream_octets {
            return Err(Failure::general_failure("the stream holds too much back"));
        }
        Ok(())
    }
}

fn streamed(init: Option<bool>, correlation: Option<&Bytes>) -> bool {
    !matches!(piece(init, correlation), Piece::Whole)
}

fn whole_only(init: Option<bool>, correlation: Option<&Bytes>) -> Result<(), Failure> {
    if streamed(init, correlation) {
        return Err(Failure::feature_not_supported("RSA takes its data in one request"));
    }
    Ok(())
}

fn no_stream() -> Failure {
    let text = "no stream of this client and operation has this Correlation Value; begin again";
    Failure::new(ResultReason::INVALID_CORRELATION_VALUE, text)
}

fn unstreamed() -> Failure {
    Failure::feature_not_supported("this signature takes its data in one request")
}

fn missing(what: &str) -> Failure {
    Failure::missing_data(format!("{what} is missing"))
}

const fn validity(good: bool) -> ValidityIndicator {
    if good { ValidityIndicator::VALID } else { ValidityIndicator::INVALID }
}
