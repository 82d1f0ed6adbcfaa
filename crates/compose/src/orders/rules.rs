//! How sentences look that give orders to a language model or to a search engine. Data, one table for each language.
//!
//! A line is `START : WORDS : WORDS …`. START is looked for where a clause begins, each group of WORDS in the twelve words
//! behind it, in any order. `|` divides alternatives, `_` joins the words of one, `*` stands for any ending, and a `,` at
//! the end of an alternative asks for a comma or colon behind it. `~` in front: START may stand anywhere. `?` in front: an
//! order by itself, which says nothing of the sentences behind it.

pub(super) const ALL: [&str; 7] = [EN, DE, FR, ES, IT, PT, RU];

const EN: &str = "
    ai,|ais,|llm,|llms,|language_model,|language_models,|chatgpt,|chatbots,|ai_assistant,|ai_assistants,|ai_model,|ai_models,|ai_agent,|ai_agents,|ai_crawlers,|ai_bots,|search_engine,|search_engines, : state_that|state|say|say_that|write|always|never|recommend|praise|mention|ignore|do_not|please|you_must|you_should|rank|cite|tell|promote
    ignore|disregard|forget|override|bypass : previous|prior|above|earlier|preceding|your|system|original|former : instruct*|prompt*|direction*|command*|rule*|guideline*|context|message*|constraint*
    ignore|disregard|forget|override : all|any|every|these : instruct*|prompt*
    forget|ignore|disregard : everything|all|anything : you_were|you_have|you_know|told|said|before_this|above_this
    do_not_follow|don't_follow|stop_following : your|previous|prior|original|system : instruct*|prompt*|rule*|guideline*
    dear|hello|hi|hey|attention|note_to|notice_to|message_to|message_for|note_for|notice_for|instruction_for|instructions_for|instruction_to|instructions_to|information_for|addressed_to : ai,|ais,|llm,|llms,|language_model,|language_models,|chatgpt,|gpt,|gpt-4,|chatbot,|chatbots,|ai-assistant,|ai_assistant,|ai_assistants,|assistant,|ai_model,|ai_models,|ai_agent,|ai_agents,|ai_crawler,|ai_crawlers,|ai_system,|ai_systems,|search_engine,|search_engines,
    as_an_ai,|as_ai,|as_an_ai_language|as_a_language_model|as_an_ai_model|as_an_ai_assistant|as_a_large_language|as_an_llm|as_an_artificial_intelligence|as_your_ai
    if_you_are|if_you're|in_case_you_are|when_you_are : an_ai,|an_ai_assistant|an_ai_model|an_ai_system|an_ai_agent|a_language_model|an_llm|a_large_language|a_chatbot|an_automated|a_bot,|an_ai_reading|an_ai_summar*
    you_are|you're|you_will_be|you_must_act|act_as|pretend_to_be|pretend_you_are|behave_as : now_the_assistant|now_an_assistant|now_a_helpful|an_ai_assistant|a_language_model|chatgpt|dan|now_dan|jailbr*|unrestricted|now_in_developer|now_an_ai|the_assistant_of|developer_mode|no_longer_bound
    new_instructions,|new_instruction,|updated_instructions,|system_prompt,|system_message,|developer_message,|system_override|admin_override|important_instructions_for_ai|begin_instructions|end_of_prompt|new_system_prompt|hidden_instruction,|hidden_instructions,|secret_instructions,
    system,|assistant,|developer, : user_has|the_user|your_instructions|system_prompt|api_key|you_must|you_are|you_will|ignore|respond|comply|override
    reveal|output|print|show|repeat|send|leak|disclose|display|expose|tell_me : system_prompt|your_instructions|your_prompt|your_system|hidden_prompt|initial_prompt|your_initial
    mark|rate|label|flag|treat|grade : every|all|each|any : sentence*|claim*|statement* : supported|true|verified|correct|factual|trusted
    do_not|don't|never : mention|reveal|tell|disclose|say : instructions_above|these_instructions|this_instruction|this_prompt|the_prompt|the_user|that_you_are_an_ai|this_hidden|system_prompt
    ~user_has_approved|user_has_authorized|user_has_authorised|user_already_approved|user_has_consented|invisible_to_humans|not_visible_to_humans|hidden_from_humans|humans_can_ignore|for_ai_only|for_ai_models_only|prompt_injection_test
    when_summarizing|when_summarising|when_you_summarize|when_you_summarise|while_summarizing|when_answering_about|when_writing_about|when_asked_about|when_generating : this|us|our|the : page|text|document|site|website|article|company|product|summary|answer : say|state|mention|write|recommend|include|add|claim|cite|always|never|praise|tell
    ?write|produce|generate|create|compose : article|text|post|review|summary|paragraph|essay : praise|praises|praising|promotes|promoting|recommends|recommending|links_to|favourable|favorable|advertis*
    ?insert|include|add|place|put|embed : link|links|backlink*|hyperlink* : http|https|www|dofollow
    ?repeat|use|mention : keyword*|phrase|keyphrase|brand_name : times_in_your|times_in_the_article|times_in_the_text|in_every_paragraph|in_each_paragraph|as_often_as
    ?rank|index|cite|recommend|promote|prefer|prioritize|prioritise|list|quote : this_page|this_site|this_website|this_product|this_company|this_brand|our_page|our_site|our_website|our_product|our_products|our_company|our_brand|this_article|this_source : first|top|always|highest|primary|above|only|best|number_one|authoritative|most_trusted
    ?~ai|ais|llm|llms|language_models|chatbots|ai-assistants|ai_assistants|search_engines|crawlers|ai_models|ai_agents|ai_crawlers : must|should|shall|need_to|have_to|are_required|are_instructed|are_asked|are_requested|please : this_page|this_site|this_website|this_product|this_company|this_brand|our_page|our_site|our_product|our_products|our_company|our_brand|this_article|this_source|this_text|this_document|recommend_us|cite_us
    ?always|only|never|must : recommend|praise|promote|endorse|mention|cite : in_your_answer*|in_your_response*|in_your_summar*|in_your_output|in_your_article|in_the_article|in_generated
    ?recommend|praise|endorse|promote|advertise|mention|say|state|claim|write : in_your_answer|in_your_response|in_your_summary|in_your_output|in_your_article|in_the_generated|to_the_reader|to_every_reader|to_all_readers : always|best|only|instead|recommend*|praise|every|all
";

const DE: &str = "
    ki,|ki-assistenten,|ki-modelle,|ki-systeme,|sprachmodelle,|sprachmodell,|chatbots,|suchmaschinen,|llms,|ki-crawler, : schreibt|schreibe|schreib|sagt|sage|sag|erwähnt|erwähne|empfehlt|empfiehl|ignoriert|ignoriere|immer|niemals|bitte|lobt|nennt|bevorzugt
    ignoriere|ignorieren|ignorier|vergiss|vergessen_sie|missachte|missachten|überschreibe|übergehe : vorherigen|vorherige|vorigen|bisherigen|bisherige|obigen|früheren|deine|deinen|ihre|vorangegangenen|vorangehenden|alle_anweisungen|alle_instruktionen|ursprünglichen : anweisung*|instruktion*|befehl*|vorgabe*|regel*|prompt*|aufforderung*|kontext|aufträge
    vergiss|vergessen_sie|ignoriere|ignorieren_sie : alles : bisher|vorher|gesagt*|zuvor|oben|was_du|was_sie
    liebe|lieber|liebes|hallo|achtung|hinweis_an|hinweis_für|nachricht_an|anweisung_an|anweisungen_an|anweisung_für|anweisungen_für|an : ki,|kis,|ki-assistent,|ki-assistenten,|ki-assistenz,|ki-modell,|ki-modelle,|ki-systeme,|sprachmodell,|sprachmodelle,|chatbot,|chatbots,|chatgpt,|assistent,|assistenten,|llm,|llms,|ai,|suchmaschinen,|ki-crawler,
    als_ki,|als_ki-sprachmodell|als_ki-modell|als_sprachmodell|als_künstliche_intelligenz|als_ki-assistent|als_großes_sprachmodell|als_ki_kann|als_ki_darf|als_ki_musst|als_ki_sollst
    wenn_du|falls_du|sofern_du|wenn_sie|falls_sie : eine_ki|ein_sprachmodell|ein_ki-modell|ein_chatbot|ein_llm|ki-assistent : bist|sind|dies|diesen
    du_bist|sie_sind|verhalte_dich|verhalten_sie : nun_der_assistent|jetzt_der_assistent|jetzt_ein_assistent|ab_jetzt|jetzt_dan|jetzt_chatgpt|wie_chatgpt|jetzt_eine_ki|der_assistent_von|ein_sprachmodell|nicht_mehr_an : assistent|ki|chatgpt|modell|regeln|sprachmodell|dan|von
    neue_anweisung,|neue_anweisungen,|systemanweisung,|systemnachricht,|system-prompt,|systemprompt,|versteckte_anweisung,|geheime_anweisung,
    system,|assistent, : der_nutzer|benutzer_hat|nutzer_hat|deine_anweisung*|du_musst|du_bist|ignoriere|systemprompt|api-schlüssel
    gib|zeige|verrate|nenne|sende|wiederhole|offenbare|geben_sie|zeigen_sie|nennen_sie : systemprompt|system-prompt|deine_anweisungen|ihre_anweisungen|deinen_prompt|systemanweisung*
    markiere|kennzeichne|bewerte|markieren_sie|bewerten_sie : jeden|jede|alle : satz|sätze|aussage*|behauptung* : belegt|wahr|richtig|bestätigt|korrekt|gestützt
    erwähne|verrate|nenne|erwähnen_sie|verraten_sie : nicht|niemals|keinesfalls : diese_anweisung*|den_prompt|dem_nutzer|dem_benutzer|dass_du_eine_ki
    ~nutzer_hat_zugestimmt|benutzer_hat_zugestimmt|nutzer_hat_alles|benutzer_hat_alles|für_menschen_unsichtbar|nur_für_ki|nur_für_sprachmodelle
    wenn_du|wenn_sie|beim : zusammenfass*|zusammenfasst|zusammenfassen : seite|text|dokument|artikel : sag*|schreib*|erwähn*|empfiehl|empfehlen|nenn*
    ?schreibe|schreib|verfasse|erstelle|schreiben_sie|verfassen_sie|erstellen_sie : artikel|text|beitrag|bewertung|zusammenfassung : lobt|preist|bewirbt|empfiehlt|verlinkt|werbung
    ?füge|setze|fügen_sie|setzen_sie|baue : link|links|backlink*|verweis : http|https|www
    ?empfiehl|empfehle|zitiere|bevorzuge|ranke|nenne|empfehlen_sie|zitieren_sie : diese_seite|diese_website|dieses_produkt|diese_firma|unsere_seite|unser_produkt|unsere_produkte|unsere_firma|diese_quelle : zuerst|immer|oben|höchst*|beste*|einzige*|stets|erste*
    ?~ki|ki-assistenten|ki-modelle|ki-systeme|sprachmodelle|chatbots|suchmaschinen|llms|ki-crawler : müssen|sollen|sollten|haben_zu|werden_gebeten|werden_angewiesen : diese_seite|dieses_produkt|diese_firma|unsere_seite|unser_produkt|unsere_produkte|unsere_firma|diese_quelle|diesen_text|diesen_artikel|uns
    ?empfiehl|lobe|erwähne|nenne|behaupte|schreibe|empfehlen_sie|erwähnen_sie : in_deiner_antwort|in_deinem_artikel|in_deiner_zusammenfassung|in_ihrer_zusammenfassung|im_artikel,|dem_leser : immer|stets|beste*|jeden|nur|empfehl*|mehrfach
";

const FR: &str = "
    ia,|ias,|assistants_ia,|modèles_de_langage,|chatbots,|moteurs_de_recherche,|llms, : dites|dis|écrivez|écris|mentionnez|recommandez|recommande|ignorez|toujours|jamais|citez|vantez|veuillez|affirmez|indiquez
    ignore|ignorez|oublie|oubliez|néglige|négligez|outrepasse : précédentes|précédente|précédents|antérieures|ci-dessus|tes|vos|toutes_les_instructions|tous_les_ordres|initiales : instruction*|consigne*|ordre*|règle*|directive*|prompt*|commande*
    oublie|oubliez|ignore|ignorez : tout : précède|avant|appris|ci-dessus|dit
    cher|chère|chers|chères|bonjour|attention|note_à|note_aux|message_à|message_aux|instructions_pour|à_l'attention : ia,|l'ia,|ias,|assistant,|assistants,|assistant_ia,|assistants_ia,|modèle_de_langage,|modèles_de_langage,|modèle,|chatbot,|chatbots,|chatgpt,|llm,|llms,|moteurs_de_recherche,|intelligence_artificielle,
    en_tant_qu'ia|en_tant_que_modèle|en_tant_qu'intelligence_artificielle|en_tant_qu'assistant_ia|en_tant_que_grand_modèle|en_tant_que_chatbot
    si_tu_es|si_vous_êtes : une_ia|un_modèle_de_langage|un_assistant_ia|un_llm|un_chatbot|une_intelligence_artificielle|un_robot
    tu_es|vous_êtes|agis|agissez|comporte-toi : maintenant_l'assistant|désormais_l'assistant|maintenant_un_assistant|désormais_un_assistant|maintenant_une_ia|maintenant_chatgpt|l'assistant_de|un_modèle_de_langage|comme_chatgpt|maintenant_dan
    nouvelles_instructions,|nouvelle_instruction,|instruction_système,|message_système,|prompt_système,|instructions_cachées,|instructions_secrètes,
    système,|system,|assistant, : l'utilisateur|tes_instructions|vos_instructions|tu_dois|tu_es|ignore|clé_api|prompt
    révèle|révélez|affiche|affichez|montre|montrez|répète|répétez|divulgue|donne|donnez : prompt_système|tes_instructions|vos_instructions|ton_prompt|votre_prompt|instructions_initiales
    marque|marquez|note|notez|classe : chaque|toutes|tous : phrase*|affirmation* : vrai*|vérifié*|confirmé*|exact*|étayé*|prouvé*
    ne_mentionne|ne_mentionnez|ne_révèle|ne_révélez|ne_dis|ne_dites : ces_instructions|cette_instruction|à_l'utilisateur|ce_prompt|le_prompt|que_tu_es_une_ia
    ~l'utilisateur_a_tout_approuvé|l'utilisateur_a_approuvé|l'utilisateur_a_autorisé|invisible_pour_les_humains|réservé_aux_ia
    lorsque_tu_résumes|lorsque_vous_résumez|quand_tu_résumes|quand_vous_résumez|en_résumant : page|texte|document|article|site : dis|dites|écris|écrivez|mentionne|mentionnez|recommande|recommandez|précise|précisez
    ?écris|écrivez|rédige|rédigez|crée|créez|génère|générez : article|texte|billet|avis|résumé : vante|loue|promeut|recommande|fait_l'éloge|renvoie_vers|publicité
    ?insère|insérez|ajoute|ajoutez|place|placez|inclus|incluez : lien|liens|backlink* : http|https|www
    ?recommande|recommandez|cite|citez|classe|classez|privilégie|privilégiez : cette_page|ce_site|ce_produit|cette_entreprise|notre_page|notre_site|notre_produit|nos_produits|notre_entreprise|cette_source : premier|première|toujours|meilleur*|seul*|principal*|tête
    ?~ia|assistants_ia|modèles_de_langage|chatbots|moteurs_de_recherche|llms : doivent|devraient|sont_priés|sont_tenus|sont_invités : cette_page|ce_site|ce_produit|cette_entreprise|notre_page|notre_site|notre_produit|nos_produits|cette_source|ce_texte|cet_article
    ?recommande|recommandez|mentionne|mentionnez|vante|affirme|affirmez : dans_ta_réponse|dans_ton_article|dans_votre_résumé|dans_ton_résumé|dans_l'article,|au_lecteur : toujours|meilleur*|seul*|chaque|tous
";

const ES: &str = "
    ia,|ias,|asistentes_de_ia,|modelos_de_lenguaje,|chatbots,|buscadores,|llms,|motores_de_búsqueda, : digan|di|escriban|escribe|mencionen|recomienden|recomienda|ignoren|siempre|nunca|citen|elogien|afirmen|indiquen
    ignora|ignore|olvida|olvide|omite|desatiende|anula : anteriores|anterior|previas|previos|previa|arriba|tus|sus|todas_las_instrucciones|todas_las_órdenes|originales|iniciales : instruccion*|instrucción|orden|órdenes|regla*|directriz|directrices|indicacion*|prompt*|comando*
    olvida|olvide|ignora|ignore : todo : anterior|antes|dicho|dijeron|aprendido|precede
    querido|querida|estimado|estimada|hola|atención|nota_para|mensaje_para|aviso_para|instrucciones_para|instrucción_para|aviso_a : ia,|ias,|la_ia,|asistente,|asistente_de_ia,|asistentes_de_ia,|asistente_ia,|modelo_de_lenguaje,|modelos_de_lenguaje,|modelo,|chatbot,|chatbots,|chatgpt,|llm,|llms,|buscadores,|inteligencia_artificial,|motores_de_búsqueda,
    como_ia,|como_una_ia|como_modelo_de_lenguaje|como_un_modelo_de_lenguaje|como_inteligencia_artificial|como_asistente_de_ia|como_modelo_de_ia
    si_eres|si_usted_es|si_es : una_ia|un_modelo_de_lenguaje|un_asistente_de_ia|un_llm|un_chatbot|una_inteligencia_artificial
    eres|ahora_eres|usted_es|actúa|actúe|compórtate : ahora_el_asistente|ahora_un_asistente|ahora_una_ia|el_asistente_de|como_chatgpt|un_modelo_de_lenguaje|ahora_dan|como_si_fueras
    ahora_eres|a_partir_de_ahora_eres : asistente|ia|modelo|chatgpt|dan
    nuevas_instrucciones,|nueva_instrucción,|instrucción_del_sistema,|instrucciones_del_sistema,|mensaje_del_sistema,|prompt_del_sistema,|instrucciones_ocultas,
    sistema,|system,|asistente, : el_usuario|tus_instrucciones|debes|eres|ignora|clave_api|clave_de_api|prompt
    revela|revele|muestra|muestre|imprime|repite|divulga : prompt_del_sistema|tus_instrucciones|sus_instrucciones|tu_prompt|instrucciones_iniciales
    marca|marque|califica|califique : cada|todas|todos : frase*|oracion*|oración|afirmacion*|afirmación : verdader*|verificad*|correct*|respaldad*|confirmad*
    no_menciones|no_mencione|no_reveles|no_revele|no_digas|nunca_menciones : estas_instrucciones|esta_instrucción|al_usuario|este_prompt|el_prompt|que_eres_una_ia
    ~el_usuario_ha_aprobado|el_usuario_aprobó|el_usuario_ha_autorizado|invisible_para_humanos|solo_para_ia
    al_resumir|cuando_resumas|cuando_resuma|si_resumes : página|texto|documento|artículo|sitio : di|diga|escribe|escriba|menciona|mencione|recomienda|recomiende|afirma
    ?escribe|escriba|redacta|redacte|crea|genera|genere : artículo|texto|entrada|reseña|resumen : elogie|elogia|alabe|promueva|promocione|recomiende|enlace_a|publicidad
    ?inserta|inserte|añade|añada|incluye|incluya|coloca : enlace*|vínculo*|backlink* : http|https|www
    ?recomienda|recomiende|cita|cite|clasifica|posiciona|prioriza|prefiere : esta_página|este_sitio|este_producto|esta_empresa|nuestra_página|nuestro_sitio|nuestro_producto|nuestros_productos|nuestra_empresa|esta_fuente : primero|primera|primer|siempre|mejor|únic*|principal
    ?~ia|ias|asistentes_de_ia|modelos_de_lenguaje|chatbots|buscadores|llms : deben|deberían|tienen_que|han_de : esta_página|este_sitio|este_producto|esta_empresa|nuestra_página|nuestro_sitio|nuestro_producto|nuestros_productos|esta_fuente|este_texto|este_artículo
    ?recomienda|recomiende|menciona|mencione|elogia|afirma : en_tu_respuesta|en_tu_artículo|en_tu_resumen|en_su_resumen|en_el_artículo,|al_lector : siempre|mejor|únic*|cada|todos
";

const IT: &str = "
    ia,|ai,|assistenti_ia,|assistenti_ai,|modelli_linguistici,|chatbot,|motori_di_ricerca,|llm, : dite|scrivete|scrivi|menzionate|raccomandate|raccomanda|consigliate|ignorate|sempre|mai|citate|lodate|affermate|indicate
    ignora|ignori|ignorate|dimentica|dimentichi|trascura|tralascia|annulla : precedenti|precedente|sopra|tue|sue|tutte_le_istruzioni|tutti_gli_ordini|originali|iniziali : istruzion*|ordin*|regol*|direttiv*|indicazion*|prompt*|comand*
    dimentica|dimentichi|ignora|ignori : tutto|quanto : precede|prima|detto|sopra|imparato
    caro|cara|gentile|ciao|attenzione|nota_per|messaggio_per|avviso_per|istruzioni_per|istruzione_per|avviso_a : ia,|l'ia,|ai,|assistente,|assistente_ia,|assistenti_ia,|assistente_ai,|assistenti_ai,|modello_linguistico,|modelli_linguistici,|modello,|chatbot,|chatgpt,|llm,|motori_di_ricerca,|intelligenza_artificiale,|le_ia,
    come_ia,|come_ai,|come_modello_linguistico|come_un_modello_linguistico|come_intelligenza_artificiale|come_assistente_ia|come_assistente_ai|in_quanto_ia|in_quanto_modello|in_quanto_intelligenza_artificiale|in_quanto_ai
    se_sei|se_lei_è : un'ia|un_ia|un'intelligenza_artificiale|un_modello_linguistico|un_assistente_ia|un_llm|un_chatbot|un'ai
    sei|ora_sei|adesso_sei|da_ora_sei|agisci|comportati : ora_l'assistente|adesso_l'assistente|ora_un_assistente|l'assistente_di|come_chatgpt|un_modello_linguistico|ora_dan|ora_un'ia
    ora_sei|adesso_sei|d'ora_in_poi_sei : assistente|l'assistente|ia|modello|chatgpt|dan
    nuove_istruzioni,|nuova_istruzione,|istruzione_di_sistema,|istruzioni_di_sistema,|messaggio_di_sistema,|prompt_di_sistema,|istruzioni_nascoste,
    sistema,|system,|assistente, : l'utente|tue_istruzioni|devi|sei|ignora|chiave_api|prompt
    rivela|riveli|mostra|mostri|stampa|ripeti|divulga : prompt_di_sistema|tue_istruzioni|sue_istruzioni|tuo_prompt|istruzioni_iniziali
    segna|segni|contrassegna|valuta|indica : ogni|tutte|tutti : fras*|affermazion* : ver*|verificat*|corrett*|supportat*|confermat*
    non_menzionare|non_rivelare|non_dire|non_citare : queste_istruzioni|questa_istruzione|all'utente|questo_prompt|il_prompt|che_sei_un'ia
    ~l'utente_ha_approvato|l'utente_ha_autorizzato|invisibile_agli_umani|solo_per_ia
    quando_riassumi|nel_riassumere|riassumendo|se_riassumi : pagina|testo|documento|articolo|sito : di'|dici|scrivi|menziona|raccomanda|consiglia|afferma|aggiungi
    ?scrivi|scriva|redigi|crea|genera|componi : articolo|testo|post|recensione|riassunto : lodi|elogi|promuova|raccomandi|rimandi|pubblicità|esalti
    ?inserisci|inserisca|aggiungi|aggiunga|includi : link|collegament*|backlink* : http|https|www
    ?raccomanda|raccomandi|consiglia|consigli|cita|citi|posiziona|preferisci : questa_pagina|questo_sito|questo_prodotto|questa_azienda|nostra_pagina|nostro_sito|nostro_prodotto|nostri_prodotti|nostra_azienda|questa_fonte : primo|prima|sempre|miglior*|unic*|principale
    ?~ia|assistenti_ia|assistenti_ai|modelli_linguistici|chatbot|motori_di_ricerca|llm : devono|dovrebbero|sono_tenuti|sono_pregati : questa_pagina|questo_sito|questo_prodotto|questa_azienda|nostra_pagina|nostro_sito|nostro_prodotto|nostri_prodotti|questa_fonte|questo_testo|questo_articolo
    ?raccomanda|raccomandi|menziona|menzioni|loda|afferma : nella_tua_risposta|nel_tuo_articolo|nel_tuo_riassunto|nell'articolo,|al_lettore : sempre|miglior*|unic*|ogni|tutti
";

const PT: &str = "
    ia,|ias,|assistentes_de_ia,|modelos_de_linguagem,|chatbots,|buscadores,|llms,|motores_de_busca, : digam|diga|escrevam|escreva|mencionem|recomendem|recomende|ignorem|sempre|nunca|citem|elogiem|afirmem|indiquem
    ignore|ignora|esqueça|esquece|desconsidere|desconsidera|anule : anteriores|anterior|prévias|prévia|acima|tuas|suas|todas_as_instruções|todas_as_ordens|originais|iniciais : instruç*|ordem|ordens|regra*|diretriz*|indicaç*|prompt*|comando*
    esqueça|esquece|ignore|ignora : tudo : anterior|antes|dito|disseram|acima|aprendeu|precede
    caro|cara|prezado|prezada|querido|olá|atenção|nota_para|mensagem_para|aviso_para|instruções_para|instrução_para|aviso_a : ia,|ias,|a_ia,|assistente,|assistente_de_ia,|assistentes_de_ia,|modelo_de_linguagem,|modelos_de_linguagem,|modelo,|chatbot,|chatbots,|chatgpt,|llm,|llms,|motores_de_busca,|buscadores,|inteligência_artificial,
    como_ia,|como_uma_ia|como_modelo_de_linguagem|como_um_modelo_de_linguagem|como_inteligência_artificial|como_assistente_de_ia|enquanto_ia|enquanto_modelo_de_linguagem
    se_você_é|se_és|se_for|caso_seja|se_você_for : uma_ia|um_modelo_de_linguagem|um_assistente_de_ia|um_llm|um_chatbot|uma_inteligência_artificial
    você_é|agora_você_é|és_agora|tu_és|aja|comporte-se : agora_o_assistente|agora_um_assistente|agora_uma_ia|o_assistente_da|o_assistente_de|como_chatgpt|como_o_chatgpt|um_modelo_de_linguagem|agora_dan
    agora_você_é|a_partir_de_agora_você_é|és_agora : assistente|ia|modelo|chatgpt|dan
    novas_instruções,|nova_instrução,|instrução_do_sistema,|instruções_do_sistema,|mensagem_do_sistema,|prompt_do_sistema,|instruções_ocultas,
    sistema,|system,|assistente, : o_usuário|o_utilizador|suas_instruções|tuas_instruções|você_deve|deves|ignore|chave_de_api|chave_api|prompt
    revele|revela|mostre|mostra|imprima|repita|divulgue : prompt_do_sistema|suas_instruções|tuas_instruções|seu_prompt|instruções_iniciais
    marque|marca|classifique|avalie : cada|todas|todos : frase*|afirmaç*|sentença* : verdadeir*|verificad*|corret*|suportad*|sustentad*|confirmad*
    não_mencione|não_menciones|não_revele|não_reveles|não_diga|nunca_mencione : estas_instruções|essas_instruções|esta_instrução|ao_usuário|ao_utilizador|este_prompt|o_prompt|que_você_é_uma_ia
    ~o_usuário_aprovou|o_utilizador_aprovou|o_usuário_autorizou|o_utilizador_autorizou|invisível_para_humanos|apenas_para_ia
    ao_resumir|quando_resumir|se_resumir : página|texto|documento|artigo|site : diga|escreva|mencione|recomende|afirme|inclua
    ?escreva|escreve|redija|crie|gere|produza : artigo|texto|post|resenha|resumo : elogie|elogia|louve|promova|recomende|publicidade|enalteça
    ?insira|insere|adicione|inclua|coloque : link|links|ligação|backlink* : http|https|www
    ?recomende|recomenda|cite|cita|classifique|posicione|prefira : esta_página|este_site|este_produto|esta_empresa|nossa_página|nosso_site|nosso_produto|nossos_produtos|nossa_empresa|esta_fonte : primeiro|primeira|sempre|melhor|únic*|principal
    ?~ia|ias|assistentes_de_ia|modelos_de_linguagem|chatbots|motores_de_busca|buscadores|llms : devem|deveriam|têm_de|têm_que|precisam : esta_página|este_site|este_produto|esta_empresa|nossa_página|nosso_site|nosso_produto|nossos_produtos|esta_fonte|este_texto|este_artigo
    ?recomende|recomenda|mencione|menciona|elogie|afirme : na_sua_resposta|no_seu_artigo|no_seu_resumo|na_tua_resposta|no_artigo,|ao_leitor : sempre|melhor|únic*|cada|todos
";

const RU: &str = "
    ии,|ии-ассистенты,|языковые_модели,|чат-боты,|нейросети,|нейросеть,|поисковые_системы, : скажите|скажи|напишите|напиши|упомяните|рекомендуйте|рекомендуй|игнорируйте|всегда|никогда|цитируйте|хвалите|укажите|пожалуйста
    игнорируй|игнорируйте|проигнорируй|проигнорируйте|забудь|забудьте|отмени|отмените|пренебреги : предыдущ*|прежн*|прошл*|выше*|свои|твои|ваши|все_инструкции|все_указания|исходн*|начальн* : инструкц*|указани*|команд*|правил*|промпт*|приказ*|директив*
    забудь|забудьте|игнорируй|игнорируйте : всё|все : раньше|выше|сказан*|ранее|до_этого
    дорогой|дорогая|уважаемый|уважаемая|уважаемые|привет|внимание|сообщение_для|примечание_для|инструкция_для|инструкции_для|указание_для|обращение_к : ии,|ии-ассистент,|ии-ассистента,|ии-ассистентов,|ассистент,|ассистента,|помощник,|ии-модель,|ии-моделей,|языковая_модель,|языковой_модели,|языковых_моделей,|чат-бот,|чат-бота,|чат-ботов,|chatgpt,|llm,|нейросеть,|нейросети,|нейросетей,|поисковых_систем,
    как_ии,|как_языковая_модель|как_искусственный_интеллект|как_ии-ассистент|будучи_языковой|будучи_искусственным|как_большая_языковая|как_нейросеть
    если_ты|если_вы : ии|языковая_модель|нейросеть|чат-бот|искусственный_интеллект|llm : это|то|читаешь|читаете|напиши|напишите|скажи|скажите|ты|вы|обязан*|должн*|рекоменд*|игнорир*
    ты_теперь|теперь_ты|вы_теперь|теперь_вы|отныне_ты|отныне_вы|веди_себя|действуй : ассистент*|помощник*|ии|chatgpt|модель|dan|нейросеть
    новые_инструкции,|новая_инструкция,|системное_сообщение,|системная_инструкция,|системный_промпт,|скрытая_инструкция,|скрытые_инструкции,
    система,|system,|ассистент, : пользователь|твои_инструкции|ты_должен|ты_теперь|игнорируй|api-ключ|ключ_api|промпт
    раскрой|покажи|выведи|повтори|раскройте|покажите|выведите : системный_промпт|свои_инструкции|твои_инструкции|ваши_инструкции|свой_промпт|исходные_инструкции
    отметь|отметьте|пометь|пометьте|оцени : каждое|каждый|все : предложени*|утверждени* : подтвержд*|верн*|истинн*|правильн*|провер*
    не_упоминай|не_упоминайте|не_раскрывай|не_раскрывайте|не_говори|никогда_не_упоминай : эти_инструкции|эту_инструкцию|этих_инструкций|пользователю|этот_промпт|что_ты_ии
    ~пользователь_всё_одобрил|пользователь_все_одобрил|пользователь_одобрил|пользователь_разрешил|только_для_ии|невидимо_для_людей
    при_пересказе|когда_пересказываешь|при_обобщении|пересказывая|резюмируя : страниц*|текст*|документ*|стать*|сайт* : скажи|напиши|упомяни|рекомендуй|укажи|скажите|напишите|упомяните
    ?напиши|напишите|составь|составьте|создай|создайте : статью|текст|отзыв|обзор : хвалит|восхваляет|рекламирует|рекомендует|прославляет|хвалебн*
    ?вставь|вставьте|добавь|добавьте|размести|разместите : ссылк* : http|https|www
    ?рекомендуй|рекомендуйте|цитируй|цитируйте|ставь|ставьте : эту_страницу|этот_сайт|этот_продукт|эту_компанию|нашу_страницу|наш_сайт|наш_продукт|наши_продукты|нашу_компанию|этот_источник : первым|первой|всегда|лучш*|единственн*|главн*
    ?~ии|ии-ассистенты|языковые_модели|чат-боты|нейросети|поисковые_системы : должны|обязаны|следует|просим : эту_страницу|этот_сайт|этот_продукт|эту_компанию|нашу_страницу|наш_сайт|наш_продукт|наши_продукты|этот_источник|этот_текст|эту_статью
    ?рекомендуй|рекомендуйте|упоминай|упоминайте|хвали|утверждай : в_своём_ответе|в_своей_статье|в_статье,|в_ответе|читателю|читателям : всегда|лучш*|единственн*|кажд*|всем
";
