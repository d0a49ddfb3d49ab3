import { i18n, useLanguage } from '../i18n';

/**
 * What the API's enumerations are called: `names('ticket_state', 'void')`. A value that is newer than these texts is shown as the
 * API writes it, without underscores; a test names those of the contract that have no text.
 */
export function useNames(): (group: string, value: string | null | undefined) => string {
  const language = useLanguage();
  return (group, value) => {
    if (!value) return '–';
    const key = `${group}.${value}`;
    return i18n.exists(key, { ns: 'names', lng: language }) ? i18n.t(key, { ns: 'names' }) : value.replaceAll('_', ' ');
  };
}
