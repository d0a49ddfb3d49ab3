import { texts } from '../i18n';
import type en from './texts.en.json';

export const useSignInTexts = texts<typeof en>('session');
