// A field for one file, which is sent as soon as it is chosen.
let last = 0;
export default {
  props: { label: String, url: String, maxFileSize: Number },
  emits: ["rejected"],
  data: () => ({ id: `tn-file-${++last}`, told: "" }),
  template: `
    <div class="tn-field">
      <label :for="id">{{ label }}</label>
      <input :id="id" type="file" @change="send">
      <p role="status" class="tn-muted">{{ told }}</p>
    </div>`,
  methods: {
    async send(event) {
      const [file] = event.target.files;
      if (!file) return;
      if (file.size > this.maxFileSize) {
        this.$emit("rejected");
        return;
      }
      this.told = "sending ...";
      const body = new FormData();
      body.append("file", file, file.name);
      const answer = await fetch(this.url, { method: "POST", body }).catch(() => null);
      this.told = answer?.ok ? `${file.name} was sent` : "it could not be sent; try again";
    },
  },
};
