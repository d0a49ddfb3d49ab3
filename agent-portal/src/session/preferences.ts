// What a person likes, kept in this browser.
import { useSyncExternalStore } from 'react';

export type ZoneChoice = 'user' | 'office' | 'utc';
export interface Preferences {
  scheme: 'light' | 'dark' | 'auto';
  density: 'comfortable' | 'compact';
  language: 'zh-CN' | 'en';
  zone: ZoneChoice;
  mode: 'live' | 'test';
}

const first: Preferences = {
  scheme: 'auto',
  density: 'comfortable',
  language: typeof navigator !== 'undefined' && !/^zh/i.test(navigator.language) ? 'en' : 'zh-CN',
  zone: 'office',
  mode: 'live',
};

const listeners = new Set<() => void>();

export function kept(name: string): string | null {
  try {
    return localStorage.getItem(`desk.${name}`);
  } catch {
    return null;
  }
}

export function keep(name: string, value: string | null): void {
  try {
    if (value === null) localStorage.removeItem(`desk.${name}`);
    else localStorage.setItem(`desk.${name}`, value);
  } catch {
    // A browser that keeps nothing still works for as long as the page is open.
  }
}

const allowed: { [K in keyof Preferences]: readonly Preferences[K][] } = {
  scheme: ['light', 'dark', 'auto'],
  density: ['comfortable', 'compact'],
  language: ['zh-CN', 'en'],
  zone: ['user', 'office', 'utc'],
  mode: ['live', 'test'],
};

function read(): Preferences {
  const value = { ...first };
  for (const name of Object.keys(first) as (keyof Preferences)[]) {
    const text = kept(name);
    if (text && (allowed[name] as readonly string[]).includes(text)) Object.assign(value, { [name]: text });
  }
  return value;
}

let now = read();
export const preferences = () => now;

export function prefer(change: Partial<Preferences>): void {
  now = { ...now, ...change };
  for (const [name, value] of Object.entries(change)) keep(name, value);
  listeners.forEach((listener) => listener());
}

export function usePreferences(): Preferences {
  return useSyncExternalStore(
    (listener) => {
      listeners.add(listener);
      return () => listeners.delete(listener);
    },
    preferences,
    preferences,
  );
}
