//! beit
