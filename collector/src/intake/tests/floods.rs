//! Peers that come to stay: many at once, silent, slow, or deaf. Each is let go of and counted, and the sensors are heard.

use std::net::SocketAddr;

use futures_util::SinkExt;
use tokio::net::TcpSocket;

use super::*;

/// A connection from one of the many addresses of the loopback network.
async fn stranger(rig: &Rig, last: u8) -> TcpStream {
    let socket = TcpSocket::new_v4().unwrap();
    socket.bind(SocketAddr::from(([127, 0, 9, last], 0))).unwrap();
    socket.connect(rig.intake.address()).await.unwrap()
}

fn refused_so_far(rig: &Rig, reason: &str) -> u64 {
    rig.intake.doors().refused().get(reason).copied().unwrap_or(0)
}

async fn until(what: &str, mut done: impl FnMut() -> bool) {
    let since = Instant::now();
    while !done() {
        assert!(since.elapsed() < Duration::from_secs(90), "waited in vain until {what}");
        tokio::time::sleep(Duration::from_millis(10)).await;
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn strangers_that_hold_every_place_in_silence_keep_no_sensor_out() {
    let rig = Rig::new(60).await;
    let identity = rig.identity("dc-1");
    // One address cannot even take all of the strangers' places.
    let mut held = Vec::new();
    for _ in 0..STRANGERS_PER_ADDRESS_MAX + 10 {
        held.push(stranger(&rig, 1).await);
    }
    until("the rest of it is refused", || refused_so_far(&rig, places::ADDRESS_FULL) == 10).await;
    assert_eq!(rig.deliver(&identity).await, Some(3), "another address is let in at once");

    let others = STRANGERS_MAX / STRANGERS_PER_ADDRESS_MAX;
    for last in 2..=u8::try_from(others).unwrap() {
        for _ in 0..STRANGERS_PER_ADDRESS_MAX {
            held.push(stranger(&rig, last).await);
        }
    }
    // Every place is taken. As a sensor does: again and again.
    let since = Instant::now();
    while rig.deliver(&identity).await.is_none() {
        assert!(since.elapsed() < Duration::from_secs(60), "strangers keep a sensor out");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    assert!(refused_so_far(&rig, MADE_ROOM) >= 1, "{:?}", rig.intake.doors().refused());
    assert_eq!(rig.intake.doors().admitted(), 2);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_sensor_that_connects_again_and_again_without_a_word_has_one_connection() {
    let rig = Rig::new(60).await;
    let identity = rig.identity("dc-1");
    let mut held = Vec::new();
    for _ in 0..30 {
        held.push(rig.client(Some(&identity)).await);
    }
    until("all but the newest are ended", || refused_so_far(&rig, "newer") == 29).await;
    assert_eq!(rig.intake.doors().admitted(), 30);
    let other = rig.identity("dc-2");
    assert_eq!(rig.deliver(&other).await, Some(3), "the others go on");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_slow_the_silent_and_the_deaf_are_let_go_of_and_counted() {
    let rig = Rig::with(IntakeSettings { silence_s: 1, patience_s: 1, ..IntakeSettings::default() }).await;
    let (slow, silent, dribbling, deaf) =
        (rig.identity("slow"), rig.identity("silent"), rig.identity("dribbling"), rig.identity("deaf"));
    // No handshake, no greeting.
    let _knocks = stranger(&rig, 1).await;
    let _connects = rig.client(None).await;
    let _greets_late = rig.client(Some(&slow)).await;
    until("those who do not greet are counted", || {
        let (knocks, connects) = (refused_so_far(&rig, "slow_handshake"), refused_so_far(&rig, "silent"));
        // On a busy machine a handshake may take too long, too.
        knocks >= 1 && knocks + connects == 3
    })
    .await;
    let before = refused_so_far(&rig, "silent");

    let mut nothing_more = rig.greeted(&silent).await;
    assert_eq!(hear(&mut nothing_more).await, None);
    // A byte now and then is no frame: the beginning of one of 256 bytes, and then they come one by one.
    let mut stream = rig.greeted(&dribbling).await.into_inner();
    stream.write_all(&[0, 0, 1, 0]).await.unwrap();
    let began = Instant::now();
    while stream.write_all(&[0]).await.is_ok() && stream.flush().await.is_ok() {
        assert!(began.elapsed() < Duration::from_secs(60), "it may dribble for ever");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
    until("the silent ones are counted", || refused_so_far(&rig, "silent") == before + 2).await;

    // Whoever asks and never reads the answers.
    let mut asks = rig.greeted(&deaf).await;
    let began = Instant::now();
    let ping = Bytes::from(wire::encode(&SensorFrame::Ping).unwrap());
    while refused_so_far(&rig, "does_not_read") == 0 {
        assert!(began.elapsed() < Duration::from_secs(90), "{:?}", rig.intake.doors().refused());
        // When the collector does not read either, this waits; when it has hung up, it fails.
        let _ = tokio::time::timeout(Duration::from_millis(200), async {
            for _ in 0..10_000 {
                if asks.feed(ping.clone()).await.is_err() {
                    break;
                }
            }
            let _ = SinkExt::<Bytes>::flush(&mut asks).await;
        })
        .await;
    }
    let other = rig.identity("dc-2");
    assert_eq!(rig.deliver(&other).await, Some(3), "the others go on");
}
