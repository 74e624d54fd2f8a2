//! vipd beside routers that others wrote, on one LAN (promise 8): each test names peer, version and role.

mod peers;
