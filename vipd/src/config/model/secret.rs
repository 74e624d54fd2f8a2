//! Values that are never shown (C-SEC-07).

use std::fmt;

/// A version 2 password: 8 octets, zero-filled (C-AUTH-02). Never printed (C-SEC-07).
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct Password(pub [u8; 8]);

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password(hidden)")
    }
}

/// Text that lets somebody in, such as the token of a webhook or the address that holds it. Never printed (C-SEC-07).
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(pub String);

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}
