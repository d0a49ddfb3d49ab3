import { i18n, useLanguage } from '../i18n';
import type { ErrorItem } from './problem';

/** What an error code means and what to do; a code that is newer than these texts keeps the server's own title. */
export function useErrorText(): (code: string, item?: Pick<ErrorItem, 'title'>) => string {
  const language = useLanguage();
  return (code, item) => (i18n.exists(code, { ns: 'api', lng: language }) ? i18n.t(code, { ns: 'api' }) : (item?.title ?? code));
}
