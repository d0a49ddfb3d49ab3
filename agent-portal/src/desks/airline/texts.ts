import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useAirlineTexts = texts<typeof en>('desks/airline');
