// What tests use of socket.io-client 2, which comes without types.
declare module 'socket.io-client-v2' {
  interface OldSocket {
    readonly connected: boolean
    on(event: string, listener: (...args: unknown[]) => void): this
    emit(event: string, ...args: unknown[]): this
    close(): this
  }
  interface OldOptions {
    readonly path?: string
    readonly transports?: readonly string[]
    readonly forceNew?: boolean
    readonly reconnection?: boolean
    readonly transportOptions?: Readonly<Record<string, { readonly extraHeaders: Readonly<Record<string, string>> }>>
  }
  export default function io(url: string, options?: OldOptions): OldSocket
}
