// A half-filled form survives a reload of its tab, and ends with the tab, the sale or the sign-out.
export function readDraft<T>(name: string): T | null {
  try {
    const text = sessionStorage.getItem(`draft:${name}`);
    return text ? (JSON.parse(text) as T) : null;
  } catch {
    return null;
  }
}

export function keepDraft(name: string, value: unknown): void {
  try {
    if (value === null) sessionStorage.removeItem(`draft:${name}`);
    else sessionStorage.setItem(`draft:${name}`, JSON.stringify(value));
  } catch {
    // Then it lives as long as the page.
  }
}
