// Texts by folder: every folder with screens has `texts.en.json` and `texts.zh-CN.json`, loaded when the first of its screens is.
// Keys are checked by the compiler (a key that is not in the English file is a type error) and by scripts/parity.mjs.
import i18next from 'i18next';
import { useCallback, useSyncExternalStore } from 'react';

export const languages = ['zh-CN', 'en'] as const;
export type Language = (typeof languages)[number];

type Bundle = Record<string, string>;
const files = import.meta.glob<Bundle>('../**/texts.*.json', { import: 'default' });
const loaded = new Set<string>();

export const i18n = i18next.createInstance();

export function startLanguage(language: Language): void {
  void i18n.init({
    lng: language,
    fallbackLng: false,
    keySeparator: false,
    nsSeparator: false,
    resources: {},
    interpolation: { escapeValue: false },
    returnNull: false,
    initAsync: false,
  });
  document.documentElement.lang = language;
}

async function load(folder: string, language: string): Promise<void> {
  if (i18n.hasResourceBundle(language, folder)) return;
  const file = files[`../${folder}/texts.${language}.json`];
  if (!file) throw new Error(`no texts of ${folder} in ${language}`);
  i18n.addResourceBundle(language, folder, await file());
}

/** Before a screen of that folder is shown. */
export async function loadTexts(...folders: string[]): Promise<void> {
  for (const folder of folders) loaded.add(folder);
  await Promise.all(folders.map((folder) => load(folder, i18n.language)));
}

export async function setLanguage(language: Language): Promise<void> {
  await Promise.all([...loaded].map((folder) => load(folder, language)));
  await i18n.changeLanguage(language);
  document.documentElement.lang = language;
}

export type Values = Record<string, string | number>;
/** The keys of a file; a plural is asked for without its ending. */
export type KeyOf<T> = keyof T extends infer K ? (K extends `${infer Base}_${'one' | 'other'}` ? Base : K) & string : never;
export type Texts<T> = (key: KeyOf<T>, values?: Values) => string;

const subscribe = (listener: () => void) => {
  i18n.on('languageChanged', listener);
  return () => i18n.off('languageChanged', listener);
};
const current = () => i18n.language as Language;

export function useLanguage(): Language {
  return useSyncExternalStore(subscribe, current, current);
}

/** The texts of one folder, outside of a component. */
export function textsOf<T>(folder: string): Texts<T> {
  return (key, values) => i18n.t(key, { ns: folder, ...values });
}

/** Makes the hook with which the components of a folder read its texts. */
export function texts<T>(folder: string): () => Texts<T> {
  return function useTexts() {
    const language = useLanguage();
    // eslint-disable-next-line react-hooks/exhaustive-deps -- another language is another function
    return useCallback(textsOf<T>(folder), [language]);
  };
}
