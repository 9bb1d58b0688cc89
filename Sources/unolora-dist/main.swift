print("unolora-dist")
