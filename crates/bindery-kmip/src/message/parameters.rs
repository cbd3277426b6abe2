//! Structures that several operations share.

use bindery_ttlv::{
    DateTime, RawItem, RawValue, Ttlv,
    registry::{Operation, ProcessingStage, ProtectionStorageMask, TicketType},
};
use bytes::Bytes;

use super::CryptographicParameters;
use crate::Secret;

/// Derivation Parameters (KMIP 1.4, section 2.1.13, table 22).
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = DERIVATION_PARAMETERS)]
#[non_exhaustive]
pub struct DerivationParameters {
    /// The pseudorandom function, cipher or hash.
    pub cryptographic_parameters: Option<Box<CryptographicParameters>>,
    /// The initialisation vector of a cipher.
    #[ttlv(tag = INITIALIZATION_VECTOR)]
    pub initialization_vector: Option<Bytes>,
    /// What is derived from beside the key: a label, shared information, a password's salt.
    #[ttlv(tag = DERIVATION_DATA)]
    pub derivation_data: Option<Secret>,
    /// The salt of PBKDF2.
    #[ttlv(tag = SALT)]
    pub salt: Option<Bytes>,
    /// The iterations of PBKDF2.
    #[ttlv(tag = ITERATION_COUNT)]
    pub iteration_count: Option<i32>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Protection Storage Masks (KMIP 2.1, section 7.33): ways to store an object, the best first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
#[ttlv(tag = PROTECTION_STORAGE_MASKS)]
#[non_exhaustive]
pub struct ProtectionStorageMasks {
    /// The masks.
    #[ttlv(tag = PROTECTION_STORAGE_MASK)]
    pub masks: Vec<ProtectionStorageMask>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

/// Ticket (KMIP 2.1, section 7.39): what stands for credentials that were shown before.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = TICKET)]
#[non_exhaustive]
pub struct Ticket {
    /// What it is for.
    pub ticket_type: TicketType,
    /// The ticket itself.
    #[ttlv(tag = TICKET_VALUE)]
    pub ticket_value: RawValue,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

macro_rules! kept {
    ($($(#[$doc:meta])* $type:ident $tag:ident, $(#[$inner_doc:meta])* $field:ident $inner:ident $kind:ty;)*) => {$(
        $(#[$doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq, Ttlv)]
        #[ttlv(tag = $tag)]
        #[non_exhaustive]
        pub struct $type {
            $(#[$inner_doc])*
            #[ttlv(tag = $inner)]
            pub $field: Vec<$kind>,
            /// Fields that are not named above, where they stood.
            #[ttlv(unknown)]
            pub unknown: Vec<RawItem>,
        }
    )*};
}

kept! {
    /// Rights (KMIP 2.1, section 7): what the holder of a delegated ticket may do.
    Rights RIGHTS,
    /// Each right, as it stood.
    rights RIGHT RawValue;
    /// Defaults Information (KMIP 2.1, section 7): attributes of new objects, by their type.
    DefaultsInformation DEFAULTS_INFORMATION,
    /// The defaults for a type, as they stood.
    object_defaults OBJECT_DEFAULTS RawValue;
    /// Constraints (KMIP 2.1, section 7): rules for objects.
    Constraints CONSTRAINTS,
    /// Each rule, as it stood.
    constraints CONSTRAINT RawValue;
    /// Asynchronous Correlation Values (KMIP 2.1, section 7).
    AsynchronousCorrelationValues ASYNCHRONOUS_CORRELATION_VALUES,
    /// The values.
    values ASYNCHRONOUS_CORRELATION_VALUE Bytes;
    /// Operations (KMIP 2.1, section 7).
    Operations OPERATIONS,
    /// The operations.
    operations OPERATION Operation;
}

/// Asynchronous Request (KMIP 2.1, section 7): an operation under way.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = ASYNCHRONOUS_REQUEST)]
#[non_exhaustive]
pub struct AsynchronousRequest {
    /// What the server calls it.
    #[ttlv(tag = ASYNCHRONOUS_CORRELATION_VALUE)]
    pub asynchronous_correlation_value: Bytes,
    /// The operation.
    pub operation: Operation,
    /// When it was asked for.
    #[ttlv(tag = SUBMISSION_DATE)]
    pub submission_date: Option<DateTime>,
    /// How far it is.
    pub processing_stage: Option<ProcessingStage>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}
