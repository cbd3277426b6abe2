//! KMIP Usage Guide 1.0, draft 0.98 (29 April 2009): the HTTPS profile.

mod section_3_2;
mod section_3_2_1;
