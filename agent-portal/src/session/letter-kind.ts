export type LetterKind = 'invitation' | 'reset' | 'forgotten';

/** Where the links of letters lead: an invitation is accepted, a password set anew. The token stands behind `#`, which is never sent. */
export function letterOf(pathname: string): LetterKind | null {
  const first = pathname.split('/')[1] ?? '';
  return first.startsWith('invitation') ? 'invitation' : first === 'forgotten-password' ? 'forgotten' : /^(password[-_]reset|reset)/.test(first) ? 'reset' : null;
}
