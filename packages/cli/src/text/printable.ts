/**
 * Text from outside (names, identities, messages that quote them) as a terminal may show it: control characters and
 * the marks that turn the direction of writing could rewrite what stands around them.
 */
export function printable(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what is looked for
  return text.replace(/[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u2028-\u202e\u2066-\u2069]/g, '\ufffd')
}
