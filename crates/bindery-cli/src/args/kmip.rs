//! `bindery kmip`: a verb per operation.

use std::path::PathBuf;

use clap::{Args, Subcommand, ValueEnum};

use super::client::ClientArgs;

/// Options of every KMIP verb, and the verb.
#[derive(Debug, Args)]
pub(crate) struct KmipArgs {
    #[command(flatten)]
    pub(crate) client: ClientArgs,
    /// The protocol version to speak: 1.0 to 1.4.
    #[arg(long, global = true, env = "BINDERY_KMIP_VERSION", default_value = "1.4")]
    #[arg(value_name = "VERSION", help_heading = "Connection")]
    pub(crate) kmip_version: Version,
    #[command(subcommand)]
    pub(crate) verb: Verb,
}

/// A KMIP protocol version as it is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Version {
    /// The part before the point.
    pub(crate) major: i32,
    /// The part after it.
    pub(crate) minor: i32,
}

impl std::str::FromStr for Version {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let parts = text.split_once('.');
        let number = |part: &str| part.parse::<u16>().ok().map(i32::from);
        match parts.and_then(|(major, minor)| Some((number(major)?, number(minor)?))) {
            Some((major, minor)) => Ok(Self { major, minor }),
            None => Err(format!("\"{text}\" is no protocol version such as 1.4")),
        }
    }
}

impl std::fmt::Display for Version {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{}.{}", self.major, self.minor)
    }
}

/// The verbs.
#[derive(Debug, Subcommand)]
pub(crate) enum Verb {
    /// Make a symmetric key on the server.
    Create(CreateArgs),
    /// Hand an object that exists already to the server.
    Register(RegisterArgs),
    /// Find objects by their attributes; prints their Unique Identifiers.
    Locate(LocateArgs),
    /// Fetch an object.
    ///
    /// With `-o raw` or `-o hex` and --show-secrets the object's value itself is printed.
    Get(ObjectArgs),
    /// Fetch attributes of an object.
    GetAttributes {
        #[command(flatten)]
        object: ObjectArgs,
        /// An attribute's name; may be given more than once [default: all].
        #[arg(short, long = "attribute", value_name = "NAME")]
        attributes: Vec<String>,
    },
    /// List the names of an object's attributes.
    GetAttributeList(ObjectArgs),
    /// Put an object into the state Active.
    Activate(ObjectArgs),
    /// End the use of an object: Deactivated, or Compromised.
    Revoke(RevokeArgs),
    /// Destroy an object's key material for good.
    Destroy(ObjectArgs),
    /// Ask what the server can do.
    Query {
        /// What to ask for; may be given more than once
        /// [default: operations, objects, server information].
        #[arg(short, long = "function", value_name = "FUNCTION")]
        functions: Vec<String>,
    },
    /// Ask which protocol versions the server speaks.
    DiscoverVersions {
        /// Versions that this side would speak, best first [default: ask for all].
        versions: Vec<Version>,
    },
    /// Send a message as it is, and show the answer.
    ///
    /// The message is checked only for being TTLV, so that faulty ones can be sent too:
    /// --unchecked leaves out even that.
    Raw {
        /// The message, as octets or hexadecimal digits; `-` is standard input.
        #[arg(default_value = "-", value_name = "FILE")]
        file: PathBuf,
        /// Send what is there, whatever it is.
        #[arg(long, env = "BINDERY_UNCHECKED")]
        unchecked: bool,
    },
}

/// The object that a verb works on.
#[derive(Clone, Debug, Args)]
pub(crate) struct ObjectArgs {
    /// The object: its Unique Identifier or, if no object has that, its name.
    #[arg(value_name = "OBJECT")]
    pub(crate) object: String,
    /// Take OBJECT for a Unique Identifier or for a name only [default: try both].
    #[arg(long, env = "BINDERY_BY", value_enum, value_name = "KIND")]
    pub(crate) by: Option<By>,
}

/// What the text for an object is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum By {
    /// A Unique Identifier.
    Id,
    /// A name.
    Name,
}

/// Attributes that a new object gets.
#[derive(Clone, Debug, Default, Args)]
pub(crate) struct NewObjectArgs {
    /// The object's name; may be given more than once.
    #[arg(short, long = "name", value_name = "NAME")]
    pub(crate) names: Vec<String>,
    /// What the key may be used for, such as encrypt,decrypt
    /// [default: encrypt,decrypt for a cipher's key, mac-generate,mac-verify for an HMAC's].
    #[arg(long, value_name = "USE", value_delimiter = ',')]
    pub(crate) usage: Vec<String>,
    /// The object group; may be given more than once.
    #[arg(long = "group", value_name = "GROUP")]
    pub(crate) groups: Vec<String>,
    /// A custom attribute (its name begins with x-) and its text; may be given more than once.
    /// `@FILE` takes the text from a file.
    #[arg(short, long = "attribute", value_name = "NAME=TEXT")]
    pub(crate) attributes: Vec<String>,
}

/// Options of `create`.
#[derive(Debug, Args)]
pub(crate) struct CreateArgs {
    /// The algorithm, such as aes, hmac-sha256, 3des.
    #[arg(long, visible_alias = "algorithm", default_value = "aes", value_name = "NAME")]
    pub(crate) alg: String,
    /// The key's length in bits.
    #[arg(long, default_value_t = 256, value_name = "BITS")]
    pub(crate) length: i32,
    #[command(flatten)]
    pub(crate) new: NewObjectArgs,
}

/// The kinds of object that `register` takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(crate) enum ObjectKind {
    /// A symmetric key: its octets.
    SymmetricKey,
    /// A password or a seed: its octets.
    SecretData,
    /// Octets that the server does not look into.
    OpaqueObject,
    /// An X.509 certificate, DER or PEM.
    Certificate,
    /// A public key, SubjectPublicKeyInfo in DER or PEM.
    PublicKey,
    /// A private key, PKCS#8 in DER or PEM.
    PrivateKey,
}

/// Options of `register`.
#[derive(Debug, Args)]
pub(crate) struct RegisterArgs {
    /// What is registered.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub(crate) kind: ObjectKind,
    /// The file with the object's value; `-` is standard input. Key material is never taken
    /// from the command line itself.
    #[arg(value_name = "FILE")]
    pub(crate) file: PathBuf,
    /// The key's algorithm, such as aes, rsa, ec.
    #[arg(long, visible_alias = "algorithm", value_name = "NAME")]
    pub(crate) alg: Option<String>,
    /// The key's length in bits [default for symmetric keys: that of the value].
    #[arg(long, value_name = "BITS")]
    pub(crate) length: Option<i32>,
    #[command(flatten)]
    pub(crate) new: NewObjectArgs,
}

/// Options of `locate`: an object has to match all of them.
#[derive(Debug, Args)]
pub(crate) struct LocateArgs {
    /// A name.
    #[arg(short, long, value_name = "NAME")]
    pub(crate) name: Option<String>,
    /// The kind of object.
    #[arg(long = "type", value_enum, value_name = "TYPE")]
    pub(crate) kind: Option<ObjectKind>,
    /// The state, such as active or pre-active.
    #[arg(long, value_name = "STATE")]
    pub(crate) state: Option<String>,
    /// The algorithm.
    #[arg(long, visible_alias = "algorithm", value_name = "NAME")]
    pub(crate) alg: Option<String>,
    /// The key's length in bits.
    #[arg(long, value_name = "BITS")]
    pub(crate) length: Option<i32>,
    /// The object group.
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// A custom attribute and its text; may be given more than once.
    #[arg(short, long = "attribute", value_name = "NAME=TEXT")]
    pub(crate) attributes: Vec<String>,
    /// The largest number of identifiers to return.
    #[arg(long, value_name = "NUMBER")]
    pub(crate) max: Option<i32>,
}

/// Options of `revoke`.
#[derive(Debug, Args)]
pub(crate) struct RevokeArgs {
    #[command(flatten)]
    pub(crate) object: ObjectArgs,
    /// Why: unspecified, key-compromise, ca-compromise, affiliation-changed, superseded,
    /// cessation-of-operation, privilege-withdrawn.
    #[arg(long, default_value = "cessation-of-operation", value_name = "REASON")]
    pub(crate) reason: String,
    /// More about why, for people.
    #[arg(long, value_name = "TEXT")]
    pub(crate) message: Option<String>,
    /// When the compromise is believed to have begun, such as 2026-11-01T00:00:00Z. Needed for
    /// the reasons that speak of a compromise [default for those: now].
    #[arg(long, value_name = "TIME")]
    pub(crate) compromised_at: Option<jiff::Timestamp>,
}
