//! One file a peer, and one for what two Masters do that meet. What holds for every peer is a story in `stories`; what
//! tshark says of vipd's frames ends every story. IPv6 and virtual MACs follow when vipd has them (issue 4, items 3 and 5).

mod dialects;
mod frr;
mod ipv6;
mod keepalived;
mod split;
mod stories;
