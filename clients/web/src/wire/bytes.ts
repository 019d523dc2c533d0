/* Bytes as the desk speaks them (base64url without padding), and ids as clients make them. */

export function fromBase64url(text: string): Uint8Array {
  const binary = atob(text.replaceAll('-', '+').replaceAll('_', '/'));
  return Uint8Array.from(binary, (c) => c.charCodeAt(0));
}

export function toBase64url(bytes: Uint8Array): string {
  return btoa(String.fromCharCode(...bytes)).replaceAll('+', '-').replaceAll('/', '_').replace(/=+$/, '');
}

const CROCKFORD = '0123456789ABCDEFGHJKMNPQRSTVWXYZ';

/** A new ULID: 48 bits of ms, 80 random ones (https://github.com/ulid/spec). */
export function ulid(ms = Date.now(), random = crypto.getRandomValues(new Uint8Array(16))): string {
  let text = '';
  for (let shift = 45; shift >= 0; shift -= 5) text += CROCKFORD[Math.floor(ms / 2 ** shift) % 32];
  for (const byte of random) text += CROCKFORD[byte % 32];
  return text;
}
