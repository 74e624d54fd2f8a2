//! vipd beside routers that others wrote, on one LAN (promise 8): each test names peer, version and role. What holds for
//! every peer is a story in `stories`; what tshark says of vipd's frames ends every story.

mod frr;
mod keepalived;
mod split;
mod stories;
