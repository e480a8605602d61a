// Stands for `node:crypto` when this folder is checked: the wire's types reach the model's ids, which are made with it.
export function randomBytes(size: number): { toString(encoding: 'base64url'): string }
