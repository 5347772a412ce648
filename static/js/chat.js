import { Conversation } from "conversation";
import { SourcePanel } from "source_panel";

new Conversation(document.querySelector(".conversation"));
new SourcePanel(document.querySelector(".source"));
