// Files as they were dropped or chosen, each with the folder that it lay in; hidden ones are left out.

/** To be called while the drop is being handled: afterwards the browser has forgotten what was dropped. */
export function dropped(transfer) {
  const entries = [...transfer.items].map((item) => item.webkitGetAsEntry()).filter(Boolean);
  return collect(entries);
}

export function chosen(files) {
  return [...files].map((file) => ({ file, folder: folderOf(file) })).filter((item) => !isHidden(pathOf(item)));
}

/** Where an item lay, with its folders. */
export function pathOf({ file, folder }) {
  return folder ? `${folder}/${file.name}` : file.name;
}

async function collect(entries) {
  const items = [];
  const waiting = entries.map((entry) => [entry, ""]);
  while (waiting.length) {
    const [entry, folder] = waiting.shift();
    if (isHidden(entry.name)) continue;
    if (entry.isFile) {
      items.push({ file: await fileOf(entry), folder });
    } else {
      const path = folder ? `${folder}/${entry.name}` : entry.name;
      for (const child of await childrenOf(entry)) waiting.push([child, path]);
    }
  }
  return items;
}

function fileOf(entry) {
  return new Promise((resolve, reject) => entry.file(resolve, reject));
}

/** All of them: a reader gives a hundred at a time, and none at the end. */
async function childrenOf(directory) {
  const reader = directory.createReader();
  const children = [];
  for (;;) {
    const some = await new Promise((resolve, reject) => reader.readEntries(resolve, reject));
    if (!some.length) return children;
    children.push(...some);
  }
}

function folderOf(file) {
  return file.webkitRelativePath.split("/").slice(0, -1).join("/");
}

function isHidden(path) {
  return path.split("/").some((part) => part.startsWith("."));
}
