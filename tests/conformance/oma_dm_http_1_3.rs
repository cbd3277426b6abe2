//! OMA Device Management HTTP Binding 1.3 (6 March 2012).

mod desk;
mod section_5_1;
mod section_5_1_4;
mod section_5_2;
mod section_5_3_client;
mod section_5_3_server;
mod section_5_4;
