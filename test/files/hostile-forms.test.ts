// Row 24: forms that mean harm, over real HTTP: each is refused in time, and of none is anything left.
import { eventually } from '../support/eventually'
import { filePart, RawUpload } from '../support/file-server'
import { useFiles } from '../support/use-files'

describe('row 24: hostile forms', () => {
  const under = useFiles({ maxBytes: 200_000, idleMs: 300, totalMs: 1_500 })
  const raw = () => new RawUpload(under.server.port).head()
  const refused = async (upload: RawUpload, status: number) => {
    expect((await upload.answer).status).toBe(status)
    await under.nothingIsLeft()
  }

  it('row 24: a form without an end is refused, though its file has come whole', async () => {
    await refused(
      raw()
        .write(`${filePart('x.txt')}hello\r\n--b\r\n`)
        .end(),
      400,
    )
    await refused(
      raw()
        .write(`${filePart('x.txt')}hello`)
        .end(),
      400,
    )
  })
  it('row 24: ten thousand parts are refused', async () => {
    const field = '--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n'
    await refused(
      raw()
        .write(`${filePart('x.txt')}hello\r\n${field.repeat(10_000)}--b--\r\n`)
        .end(),
      400,
    )
    const empty = '--b\r\nContent-Disposition: form-data; name="a"; filename="a"\r\n\r\n\r\n'
    await refused(
      raw()
        .write(`${empty.repeat(10_000)}--b--\r\n`)
        .end(),
      400,
    )
  })
  it('row 24: a second file is refused, and the first is not kept', async () => {
    await refused(
      raw()
        .write(`${filePart('x.txt')}one\r\n${filePart('y.txt')}two\r\n--b--\r\n`)
        .end(),
      400,
    )
  })
  it('row 24: names of fields that would nest mean nothing', async () => {
    const nested = `--b\r\nContent-Disposition: form-data; name="a${'[b]'.repeat(2_000)}"\r\n\r\n1\r\n`
    const proto = '--b\r\nContent-Disposition: form-data; name="__proto__[polluted]"\r\n\r\n1\r\n'
    const upload = raw()
      .write(`${nested}${proto}${filePart('x.txt')}hello\r\n--b--\r\n`)
      .end()
    await eventually(async () => expect(await under.onDisk()).toHaveLength(1))
    expect((await upload.answer).status).toBe(201)
    expect(({} as { polluted?: string }).polluted).toBeUndefined()
  })
  it('row 24: a head of a part without an end is refused', async () => {
    await refused(
      raw()
        .write(`--b\r\nContent-Disposition: form-data; name="${'a'.repeat(150_000)}`)
        .end(),
      400,
    )
  })
  it('row 24: too much is refused while it comes, wherever in the form it stands, and however it is announced', async () => {
    const much = 'a'.repeat(300_000)
    await refused(raw().write(filePart('x.txt')).write(much), 413)
    await refused(raw().write(much), 413)
    await refused(
      raw()
        .write(`${filePart('x.txt')}hello\r\n--b--\r\n`)
        .write(much),
      413,
    )
    const announced = new RawUpload(under.server.port)
    const head = 'Host: x\r\nContent-Type: multipart/form-data; boundary=b\r\nContent-Length: 9000000000'
    announced.socket.write(`POST / HTTP/1.1\r\n${head}\r\n\r\n`)
    await refused(announced, 413)
  })
  it('row 24: whoever falls silent is refused, before the file, in it, and behind it', async () => {
    await refused(raw(), 408)
    await refused(raw().write(filePart('x.txt')).write('hello'), 408)
    await refused(raw().write(`${filePart('x.txt')}hello\r\n--b--\r\n`), 408)
  })
  it('row 24: whoever sends a byte now and then is refused, when their time is over', async () => {
    const upload = raw().write(filePart('x.txt'))
    const trickle = setInterval(() => upload.write('a'), 50)
    await refused(upload, 408)
    clearInterval(trickle)
  })
  it('row 24: whoever hangs up amid a file leaves nothing behind', async () => {
    const upload = raw().write(filePart('x.txt')).write('a'.repeat(100_000))
    await eventually(async () => expect(await under.onDisk()).toHaveLength(1))
    upload.socket.destroy()
    await under.nothingIsLeft()
  })
  it.each([
    ['no form', 'text/plain', 415],
    ['a form of another kind', 'application/x-www-form-urlencoded', 415],
    ['a form without a boundary', 'multipart/form-data', 400],
  ])('row 24: %s is refused', async (_, type, status) => {
    const answer = await fetch(under.server.url, { method: 'POST', body: 'hello', headers: { 'content-type': type } })
    expect(answer.status).toBe(status)
    await under.nothingIsLeft()
  })
  it('row 24: a form without a file is refused', async () => {
    await refused(raw().write('--b\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--b--\r\n').end(), 400)
  })
  it('row 24: after all that, a file is taken', async () => {
    expect((await under.send('hello', 'x.txt')).status).toBe(201)
  })
})
