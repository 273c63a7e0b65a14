//! How many requests an address may make: a token bucket each. At most [`MAX_ADDRESSES`] are remembered; when full, those
//! that have been quiet are forgotten first.

use std::collections::HashMap;
use std::net::IpAddr;
use std::sync::{Mutex, PoisonError};

/// How many addresses are remembered.
pub const MAX_ADDRESSES: usize = 10_000;

/// A bucket holds this many seconds' worth of requests.
const BURST_S: f64 = 4.0;

/// Limits requests by address.
#[derive(Debug)]
pub struct RequestLimit {
    per_second: f64,
    buckets: Mutex<HashMap<IpAddr, Bucket>>,
}

#[derive(Debug, Clone, Copy)]
struct Bucket {
    tokens: f64,
    filled_us: i64,
}

impl RequestLimit {
    /// Allows so many requests a second on average.
    pub fn new(per_second: u32) -> Self {
        RequestLimit { per_second: f64::from(per_second.max(1)), buckets: Mutex::new(HashMap::new()) }
    }

    /// Takes one request; or answers how many seconds to wait.
    pub fn take(&self, address: IpAddr, now_us: i64) -> Result<(), u64> {
        let full = self.per_second * BURST_S;
        let mut buckets = self.buckets.lock().unwrap_or_else(PoisonError::into_inner);
        if buckets.len() >= MAX_ADDRESSES && !buckets.contains_key(&address) {
            // A full bucket says nothing: whoever is forgotten starts with one.
            buckets.retain(|_, b| b.tokens + self.gained(b, now_us) < full);
            if buckets.len() >= MAX_ADDRESSES {
                buckets.clear();
            }
        }
        let bucket = buckets.entry(address).or_insert(Bucket { tokens: full, filled_us: now_us });
        bucket.tokens = (bucket.tokens + self.gained(bucket, now_us)).min(full);
        bucket.filled_us = now_us;
        if bucket.tokens < 1.0 {
            return Err(1);
        }
        bucket.tokens -= 1.0;
        Ok(())
    }

    fn gained(&self, bucket: &Bucket, now_us: i64) -> f64 {
        // Exact enough: spans here are hours at most.
        (now_us - bucket.filled_us).max(0) as f64 / 1e6 * self.per_second
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_burst_passes_and_a_flood_waits() {
        let limit = RequestLimit::new(10);
        let address = IpAddr::from([192, 0, 2, 1]);
        assert!((0..40).all(|_| limit.take(address, 0).is_ok()));
        assert_eq!(limit.take(address, 0), Err(1));
        assert!(limit.take(IpAddr::from([192, 0, 2, 2]), 0).is_ok());
        assert!((0..10).all(|_| limit.take(address, 1_000_000).is_ok()));
        assert_eq!(limit.take(address, 1_000_000), Err(1));
    }
}
