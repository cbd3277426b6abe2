//! A method per operation.

use bindery_ttlv::{
    DateTime, ProtocolVersion, Text,
    registry::{
        CryptographicAlgorithm, CryptographicUsageMask, ObjectType, QueryFunction,
        RevocationReasonCode,
    },
};

use super::{Client, ClientError};
use crate::message::{
    ActivateRequest, Attribute, AttributeValue, CreateRequest, DestroyRequest,
    DiscoverVersionsRequest, GetAttributeListRequest, GetAttributesRequest, GetRequest,
    LocateRequest, ManagedObject, QueryRequest, QueryResponse, RegisterRequest, RevocationReason,
    RevokeRequest, UniqueIdentifier,
};

/// Each method sends one request with one operation. Errors are those of
/// [`request`](Client::request).
impl Client {
    /// Create: has the server generate a symmetric key of `bits` bits, and gives its Unique
    /// Identifier. `attributes` are further ones, such as a Name.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn create(
        &mut self,
        algorithm: CryptographicAlgorithm,
        bits: i32,
        usage: CryptographicUsageMask,
        attributes: impl IntoIterator<Item = AttributeValue>,
    ) -> Result<UniqueIdentifier, ClientError> {
        let required = [
            AttributeValue::CryptographicAlgorithm(algorithm),
            AttributeValue::CryptographicLength(bits),
            AttributeValue::CryptographicUsageMask(usage),
        ];
        let template = required.into_iter().chain(attributes).collect();
        let request = CreateRequest::new(ObjectType::SYMMETRIC_KEY, template);
        Ok(self.request(request).await?.unique_identifier)
    }

    /// Register: gives the server an object to manage, and gives its Unique Identifier.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn register(
        &mut self,
        object: ManagedObject,
        attributes: impl IntoIterator<Item = AttributeValue>,
    ) -> Result<UniqueIdentifier, ClientError> {
        let template = attributes.into_iter().collect();
        Ok(self.request(RegisterRequest::new(object, template)).await?.unique_identifier)
    }

    /// Locate: the Unique Identifiers of the objects that have all these attributes.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn locate(
        &mut self,
        attributes: impl IntoIterator<Item = AttributeValue>,
    ) -> Result<Vec<UniqueIdentifier>, ClientError> {
        Ok(self.request(LocateRequest::new(attributes)).await?.unique_identifiers)
    }

    /// Get: the object, in the form that the server has it in.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn get(
        &mut self,
        uid: impl Into<UniqueIdentifier>,
    ) -> Result<ManagedObject, ClientError> {
        Ok(self.request(GetRequest::new(uid)).await?.object)
    }

    /// Get Attributes: the attributes of these names; all of them without a name.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn get_attributes(
        &mut self,
        uid: impl Into<UniqueIdentifier>,
        names: impl IntoIterator<Item = impl Into<Text>>,
    ) -> Result<Vec<Attribute>, ClientError> {
        Ok(self.request(GetAttributesRequest::new(uid, names)).await?.into_attributes())
    }

    /// Get Attribute List: the names of the attributes that an object has.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn get_attribute_list(
        &mut self,
        uid: impl Into<UniqueIdentifier>,
    ) -> Result<Vec<Text>, ClientError> {
        Ok(self.request(GetAttributeListRequest::new(uid)).await?.into_names())
    }

    /// Activate: makes a Pre-Active object Active.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn activate(&mut self, uid: impl Into<UniqueIdentifier>) -> Result<(), ClientError> {
        self.request(ActivateRequest::new(uid)).await.map(drop)
    }

    /// Revoke: ends an object's use. `since` is when it was compromised, for a reason that says it
    /// was.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn revoke(
        &mut self,
        uid: impl Into<UniqueIdentifier>,
        reason: RevocationReasonCode,
        since: Option<DateTime>,
    ) -> Result<(), ClientError> {
        let mut request = RevokeRequest::new(uid, RevocationReason::new(reason));
        request.compromise_occurrence_date = since;
        self.request(request).await.map(drop)
    }

    /// Destroy: has the server forget an object's material.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn destroy(&mut self, uid: impl Into<UniqueIdentifier>) -> Result<(), ClientError> {
        self.request(DestroyRequest::new(uid)).await.map(drop)
    }

    /// Query: what the server can do.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn query(
        &mut self,
        functions: impl Into<Vec<QueryFunction>>,
    ) -> Result<QueryResponse, ClientError> {
        self.request(QueryRequest::new(functions)).await
    }

    /// Discover Versions: which of these versions the server speaks, the one that it likes best
    /// first; all of them without one. [`negotiate`](Self::negotiate) uses it.
    ///
    /// # Errors
    /// As [`request`](Self::request).
    pub async fn discover_versions(
        &mut self,
        versions: impl Into<Vec<ProtocolVersion>>,
    ) -> Result<Vec<ProtocolVersion>, ClientError> {
        Ok(self.request(DiscoverVersionsRequest::new(versions)).await?.protocol_versions)
    }
}
