//! The program by which the kernel divides packets among the rings of an interface: by their two hosts (decision 0006).

/// Classic BPF: the sum of all words of both addresses (the same both ways), mixed; 0 for what is not IP.
pub(super) fn program() -> Vec<libc::sock_filter> {
    // Offsets of what lies beside the packet, and of the network header (linux/filter.h).
    const PROTOCOL: u32 = libc::SKF_AD_OFF as u32 + libc::SKF_AD_PROTOCOL as u32;
    const NETWORK: u32 = libc::SKF_NET_OFF as u32;
    const IPV4: (u32, u32) = (0x0800, 12);
    const IPV6: (u32, u32) = (0x86dd, 8);
    const GOLDEN: u32 = 0x9e37_79b1;
    let step = |code: u32, k: u32| libc::sock_filter { code: code as u16, jt: 0, jf: 0, k };
    let unless = |value: u32, skipped: usize| libc::sock_filter {
        code: (libc::BPF_JMP | libc::BPF_JEQ | libc::BPF_K) as u16,
        jt: 0,
        jf: skipped as u8,
        k: value,
    };
    let load = libc::BPF_LD | libc::BPF_W | libc::BPF_ABS;
    let sum = |at: u32, words: u32| {
        let mut steps = vec![step(load, NETWORK + at)];
        for word in 1..words {
            steps.push(step(libc::BPF_MISC | libc::BPF_TAX, 0));
            steps.push(step(load, NETWORK + at + 4 * word));
            steps.push(step(libc::BPF_ALU | libc::BPF_ADD | libc::BPF_X, 0));
        }
        steps.push(step(libc::BPF_ALU | libc::BPF_MUL | libc::BPF_K, GOLDEN));
        steps.push(step(libc::BPF_ALU | libc::BPF_RSH | libc::BPF_K, 16));
        steps.push(step(libc::BPF_RET | libc::BPF_A, 0));
        steps
    };
    let mut program = vec![step(libc::BPF_LD | libc::BPF_H | libc::BPF_ABS, PROTOCOL)];
    for ((kind, at), words) in [(IPV4, 2), (IPV6, 8)] {
        let steps = sum(at, words);
        program.push(unless(kind, steps.len()));
        program.extend(steps);
    }
    program.push(step(libc::BPF_RET | libc::BPF_K, 0));
    program
}
