/** An agency's numeric code: the eighth digit is the first seven modulo 7. */
export const checkDigit = (code: string): boolean => /^\d{8}$/.test(code) && Number(code.slice(0, 7)) % 7 === Number(code[7]);
