/* The desk's mark: a bubble that listens. */
export function Mark() {
  return (
    <svg viewBox="0 0 32 32" width="28" height="28" aria-hidden="true">
      <rect x="2" y="3" width="28" height="22" rx="8" fill="var(--accent)" />
      <path d="M9 22v8l9-7Z" fill="var(--accent)" />
      <circle cx="11" cy="14" r="2.2" fill="var(--on-accent)" />
      <circle cx="21" cy="14" r="2.2" fill="var(--on-accent)" />
      <path d="M12 18.5c2.5 2 5.5 2 8 0" stroke="var(--on-accent)" stroke-width="1.8" stroke-linecap="round" fill="none" />
    </svg>
  );
}
