// What a page is told in its address: where to send to, with which key, and further options of its client.
export function pageOf() {
  const asked = new URLSearchParams(location.search)
  return {
    address: asked.get('address'),
    writeKey: asked.get('key'),
    options: JSON.parse(asked.get('options') ?? '{}'),
  }
}
