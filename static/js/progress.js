// How far documents are, live: an element with data-library holds elements with data-document.

const UNFINISHED = ["queued", "reading", "embedding"]
const UNKNOWN = 4404
const ASK_AGAIN = 10_000

export class LibraryProgress {
  #element
  #pause = 500

  constructor(element) {
    this.#element = element
    this.#connect()
    setInterval(() => this.refreshUnfinished(), ASK_AGAIN)
  }

  // Fetch the document's row as it is now, and put it in its place, or on top where it is new.
  async refresh(id) {
    const row = this.#find(id)
    const response = await fetch(row?.dataset.row ?? `/documents/${id}/row`)
    if (response.status === 404) row?.remove()
    if (!response.ok) return
    const template = document.createElement("template")
    template.innerHTML = await response.text()
    const fresh = template.content.firstElementChild
    const known = this.#find(id)
    if (known) known.replaceWith(fresh)
    else this.#element.querySelector("[data-rows]").prepend(fresh)
  }

  // Messages can be missed, and some things nobody tells, such as that no worker is running.
  refreshUnfinished() {
    for (const row of this.#element.querySelectorAll("[data-row]")) {
      if (UNFINISHED.includes(row.querySelector(".status").dataset.status)) this.refresh(row.dataset.document)
    }
  }

  #connect() {
    const socket = new WebSocket(`/ws/libraries/${this.#element.dataset.library}/`)
    socket.onopen = () => {
      this.#pause = 500
      this.refreshUnfinished()
    }
    socket.onmessage = event => this.#show(JSON.parse(event.data))
    socket.onclose = event => {
      if (event.code === UNKNOWN) return
      setTimeout(() => this.#connect(), this.#pause)
      this.#pause = Math.min(this.#pause * 2, 15_000)
    }
  }

  #show({ document: id, status, text, share }) {
    const element = this.#find(id)
    const isRow = this.#element.querySelector("[data-rows]")
    if (isRow && (!element || !UNFINISHED.includes(status))) {
      this.refresh(id)
    } else if (element) {
      this.#update(element.matches(".status") ? element : element.querySelector(".status"), status, text, share)
    }
  }

  #update(element, status, text, share) {
    const bar = element.querySelector("progress")
    element.dataset.status = status
    element.querySelector("span").textContent = text
    bar.hidden = share === null
    if (share !== null) bar.value = share
  }

  #find(id) {
    return this.#element.querySelector(`[data-document="${id}"]`)
  }
}

export const libraries = new Map()
for (const element of document.querySelectorAll("[data-library]")) {
  libraries.set(element.dataset.library, new LibraryProgress(element))
}
