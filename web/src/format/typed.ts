// Numbers as people type and paste them: with thousands separators, with spaces, with a decimal comma. What could mean two things is
// refused rather than guessed.

/** `null` where the text is no number, or not one number only. */
export function numberTyped(text: string): number | null {
  const bare = text.trim().replace(/[\s\u00a0\u202f'’_]/g, '').replace(/^[$€]/, '').replace(/^−/, '-');
  if (bare === '') return null;
  const plain = /^-?(\d+\.?\d*|\.\d+)$/;
  if (plain.test(bare)) return Number(bare);
  // 69,366 and 1,234,567.5; a group never begins with a zero.
  if (/^-?[1-9]\d{0,2}(,\d{3})+(\.\d*)?$/.test(bare)) return Number(bare.replaceAll(',', ''));
  // 69.366,5 and 1.234.567
  if (/^-?[1-9]\d{0,2}(\.\d{3})+,\d+$/.test(bare) || /^-?[1-9]\d{0,2}(\.\d{3}){2,}$/.test(bare)) return Number(bare.replaceAll('.', '').replace(',', '.'));
  // 0,5 and 69366,5: one comma that cannot separate thousands.
  if (/^-?\d+,\d+$/.test(bare)) return Number(bare.replace(',', '.'));
  return null;
}
