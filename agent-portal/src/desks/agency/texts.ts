import { texts } from '../../i18n';
import type en from './texts.en.json';

export const useAgencyTexts = texts<typeof en>('desks/agency');
