//! PKCS#11: operation 0x33 (KMIP 2.1, section 6.1.37).

use bindery_ttlv::{
    RawItem, Text, Ttlv,
    registry::{Pkcs11Function, Pkcs11ReturnCode},
};
use bytes::Bytes;

use crate::Secret;

/// A call of PKCS#11.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = REQUEST_PAYLOAD)]
#[non_exhaustive]
pub struct Pkcs11Request {
    /// Which interface.
    #[ttlv(tag = PKCS_11_INTERFACE)]
    pub pkcs_11_interface: Option<Text>,
    /// Which function.
    pub pkcs_11_function: Pkcs11Function,
    /// Which stream the part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Its parameters, encoded.
    #[ttlv(tag = PKCS_11_INPUT_PARAMETERS)]
    pub pkcs_11_input_parameters: Option<Secret>,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Pkcs11Request {
    /// A request with the fields that it must have.
    pub const fn new(pkcs_11_function: Pkcs11Function) -> Self {
        Self {
            pkcs_11_function,
            pkcs_11_interface: None,
            correlation_value: None,
            pkcs_11_input_parameters: None,
            unknown: Vec::new(),
        }
    }
}

/// What it gave.
#[derive(Clone, Debug, PartialEq, Eq, Ttlv)]
#[ttlv(tag = RESPONSE_PAYLOAD)]
#[non_exhaustive]
pub struct Pkcs11Response {
    /// Which interface.
    #[ttlv(tag = PKCS_11_INTERFACE)]
    pub pkcs_11_interface: Option<Text>,
    /// Which function.
    pub pkcs_11_function: Pkcs11Function,
    /// Which stream the next part belongs to (1.3).
    #[ttlv(tag = CORRELATION_VALUE)]
    pub correlation_value: Option<Bytes>,
    /// Its results, encoded.
    #[ttlv(tag = PKCS_11_OUTPUT_PARAMETERS)]
    pub pkcs_11_output_parameters: Option<Secret>,
    /// Its return code.
    pub pkcs_11_return_code: Pkcs11ReturnCode,
    /// Fields that are not named above, where they stood.
    #[ttlv(unknown)]
    pub unknown: Vec<RawItem>,
}

impl Pkcs11Response {
    /// A response with the fields that it must have.
    pub const fn new(
        pkcs_11_function: Pkcs11Function,
        pkcs_11_return_code: Pkcs11ReturnCode,
    ) -> Self {
        Self {
            pkcs_11_function,
            pkcs_11_return_code,
            pkcs_11_interface: None,
            correlation_value: None,
            pkcs_11_output_parameters: None,
            unknown: Vec::new(),
        }
    }
}
