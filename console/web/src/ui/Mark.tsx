// The mark: three culms of bamboo, a rampart.
export function Mark({ size = 20 }: { size?: number }) {
  return (
    <svg width={size} height={size} viewBox="0 0 24 24" aria-hidden fill="none" stroke="currentColor" strokeWidth="3" strokeLinecap="round" style={{ color: "var(--lt-accent)", flexShrink: 0 }}>
      <path d="M5 21v-5.500M5 11.500V8M5 4.200V4" />
      <path d="M12 21v-7.500M12 9.500V3" />
      <path d="M19 21v-3.500M19 13.500V10M19 6V4.500" />
    </svg>
  );
}
