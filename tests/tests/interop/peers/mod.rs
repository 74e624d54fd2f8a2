//! One file a peer, and one for what two Masters do that meet. What holds for every peer is a story in `stories`; what
//! tshark says of vipd's frames ends every story.

mod dialects;
mod frr;
mod ipv6;
mod keepalived;
mod remarks;
mod split;
mod stories;
mod vmac;
