//! KMIP Additional Message Encodings 1.0 (OASIS Standard, 19 May 2015): what it says of the HTTPS profile.

mod section_3;
