// Names of files as they may be shown and saved.
import fc from 'fast-check'
import { fileName } from '../../src/files/file-name'

describe('the name of a file', () => {
  it.each([
    ['report.pdf', 'report.pdf'],
    ['Übersicht 東京 👋.pdf', 'Übersicht 東京 👋.pdf'],
    ['/etc/passwd', 'passwd'],
    ['..\\..\\windows\\win.ini', 'win.ini'],
    ['../..', 'file'],
    ['.', 'file'],
    ['', 'file'],
    [undefined, 'file'],
    ['.bashrc', 'bashrc'],
    ['a\r\nSet-Cookie: x=y.txt', 'aSet-Cookie_ x=y.txt'],
    ['cat\u202Egpj.exe', 'catgpj.exe'],
    ['in\u200Bvis\uFEFFible.txt', 'invisible.txt'],
    ['a"b<c>d|e?f*g:h.txt', 'a_b_c_d_e_f_g_h.txt'],
    ['nul.txt', '_nul.txt'],
    ['COM1', '_COM1'],
    ['  spaces   and dots. . .', 'spaces and dots'],
  ])('%j becomes %j', (given, name) => expect(fileName(given)).toBe(name))
  it('is cut to 255 bytes between characters, and keeps its ending', () => {
    const name = fileName(`${'é'.repeat(300)}.pdf`)
    expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
    expect(name).toMatch(/^é+\.pdf$/)
    expect(Buffer.byteLength(fileName('👋'.repeat(100), 5))).toBeLessThanOrEqual(250)
    expect(fileName(`a.${'b'.repeat(1_000)}`)).toHaveLength(255)
  })
  it('is never empty, never a path, never longer, and nothing of it is unseen', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 600 }), (given) => {
        const name = fileName(given)
        expect(name).toMatch(/^[^/\\\p{Cc}\p{Cf}\p{Cs}]+$/u)
        expect(Buffer.byteLength(name)).toBeLessThanOrEqual(255)
        expect(['.', '..']).not.toContain(name)
        expect(fileName(name)).toBe(name)
      }),
    )
  })
})
