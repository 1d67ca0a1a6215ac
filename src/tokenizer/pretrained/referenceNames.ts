// Written by scripts/fixtures/tokenizer_names.py, from transformers 5.18.0.

/** The types of models (`model_type` of config.json) for which the reference library takes a class of tokenizers. */
export const modelTypesByClass: Readonly<Record<string, string>> = {
  AlbertTokenizer: 'albert yoso',
  BartTokenizer: 'florence2',
  BarthezTokenizer: 'barthez',
  BartphoTokenizer: 'bartpho',
  BertGenerationTokenizer: 'bert-generation',
  BertJapaneseTokenizer: 'bert-japanese',
  BertTokenizer:
    'align bark bert blip bros chinese_clip convbert distilbert electra ernie flava git grounding-dino layoutlm megatron-bert mm-grounding-dino nezha ' +
    'nomic_bert qdqbert realm retribert squeezebert tvp vilt visual_bert',
  BertweetTokenizer: 'bertweet',
  BigBirdTokenizer: 'big_bird',
  BioGptTokenizer: 'biogpt',
  BlenderbotSmallTokenizer: 'blenderbot-small',
  BlenderbotTokenizer: 'blenderbot',
  ByT5Tokenizer: 'byt5',
  CLIPTokenizer: 'aimv2 clip clipseg groupvit omdet-turbo oneformer owlv2 owlvit sam3 sam3_video xclip',
  CTRLTokenizer: 'ctrl',
  CamembertTokenizer: 'camembert',
  CanineTokenizer: 'canine',
  ClvpTokenizer: 'clvp',
  CodeLlamaTokenizer: 'code_llama',
  CohereTokenizer: 'aya_vision cohere cohere2',
  CpmAntTokenizer: 'cpmant',
  CpmTokenizer: 'cpm',
  DPRQuestionEncoderTokenizer: 'dpr',
  DebertaTokenizer: 'deberta',
  DebertaV2Tokenizer: 'deberta-v2',
  DiaTokenizer: 'dia',
  EsmTokenizer: 'esm',
  EsmcTokenizer: 'esmc esmfold2',
  FNetTokenizer: 'fnet',
  FSMTTokenizer: 'fsmt',
  FlaubertTokenizer: 'flaubert',
  FunnelTokenizer: 'funnel',
  GPT2Tokenizer:
    'blip-2 codegen dbrx emu3 gpt2 gpt_neo gptj hyperclovax_vision_v2 instructblip instructblipvideo jais2 opt phi starcoder2',
  GPTNeoXJapaneseTokenizer: 'gpt_neox_japanese',
  GPTNeoXTokenizer: 'falcon_mamba gpt_neox mamba mamba2 mpt olmo olmoe rwkv xlstm',
  GPTSw3Tokenizer: 'gpt-sw3',
  GemmaTokenizer:
    'diffusion_gemma gemma gemma2 gemma3 gemma3_text gemma3n gemma3n_text recurrent_gemma shieldgemma2 t5gemma zaya',
  HerbertTokenizer: 'herbert',
  LEDTokenizer: 'led',
  LasrTokenizer: 'lasr_ctc lasr_encoder',
  LayoutLMv2Tokenizer: 'layoutlmv2',
  LayoutLMv3Tokenizer: 'layoutlmv3',
  LayoutXLMTokenizer: 'layoutxlm',
  LlamaTokenizer: 'idefics idefics2',
  LukeTokenizer: 'luke',
  LxmertTokenizer: 'lxmert',
  M2M100Tokenizer: 'm2m_100',
  MBart50Tokenizer: 'mbart50',
  MBartTokenizer: 'mbart',
  MLukeTokenizer: 'mluke',
  MPNetTokenizer: 'mpnet',
  MarianTokenizer: 'marian',
  MarkupLMTokenizer: 'markuplm',
  MgpstrTokenizer: 'mgp-str',
  MobileBertTokenizer: 'mobilebert',
  MvpTokenizer: 'mvp',
  MyT5Tokenizer: 'myt5',
  NllbTokenizer: 'nllb nllb-moe',
  NougatTokenizer: 'nougat pp_formulanet',
  OpenAIGPTTokenizer: 'openai-gpt',
  PLBartTokenizer: 'plbart',
  ParakeetTokenizer:
    'granite_speech5_ctc nemotron3_5_asr nemotron_asr_streaming parakeet_ctc parakeet_rnnt parakeet_tdt',
  PegasusTokenizer: 'pegasus',
  PerceiverTokenizer: 'perceiver',
  PhobertTokenizer: 'phobert',
  ProphetNetTokenizer: 'prophetnet',
  Qwen2Tokenizer:
    'audioflamingo3 colqwen2 cosmos3_omni fun_asr_nano hunyuan_vl internvl lighton_ocr ovis2 qianfan_ocr qwen2 qwen2_5_omni qwen2_5_vl qwen2_audio ' +
    'qwen2_moe qwen2_vl qwen3 qwen3_asr qwen3_moe qwen3_next qwen3_omni_moe qwen3_vl qwen3_vl_moe vibevoice',
  Qwen3_5Tokenizer: 'qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen3_5_text qwen4_exp',
  RagTokenizer: 'rag',
  ReformerTokenizer: 'reformer',
  RemBertTokenizer: 'rembert',
  RoCBertTokenizer: 'roc_bert',
  RoFormerTokenizer: 'roformer',
  RobertaTokenizer: 'bart bridgetower clap data2vec-text ibert lilt longformer mega mra roberta roberta-prelayernorm',
  SeamlessM4TTokenizer: 'seamless_m4t seamless_m4t_v2',
  Siglip2Tokenizer: 'siglip2',
  SiglipTokenizer: 'siglip',
  Speech2TextTokenizer: 'speech_to_text',
  SpeechT5Tokenizer: 'speecht5',
  SplinterTokenizer: 'splinter',
  T5Tokenizer: 'mt5 musicgen musicgen_melody switch_transformers t5',
  TapasTokenizer: 'tapas',
  Tipsv2Tokenizer: 'tipsv2',
  TokenizersBackend:
    'EvollaModel arctic aria bigbird_pegasus camembertv2-base canary chameleon chatlm cohere_asr deepseek_ocr deepseek_ocr2 deepseek_v2 deepseek_v3 ' +
    'deepseek_v32 deepseek_v4 deepseek_vl deepseek_vl_hybrid deepseek_vl_v2 ernie4_5 ernie4_5_moe flex_olmo fuyu glm glm4 glm4_moe glm4_moe_lite glm4v ' +
    'glm4v_moe glm_image glmasr got_ocr2 gpt_bigcode granite granitemoe granitemoehybrid granitemoeshared h2ovl_chat hyperclovax hyperclovax_vlm internlm2 ' +
    'jamba janus kimi_k25 kimi_linear kosmos-2 llava llava_next mimo_v2_flash minicpm3 minicpmv minicpmv4_6 minicpmv4_7 minimax_m2 ministral ministral3 ' +
    'mistral mistral3 mixtral modernbert modernbert-decoder molmo molmo2 nemotron nvfp4 nystromformer olmo2 olmo3 olmo_hybrid opencua openvla paddleocr_vl ' +
    'pegasus_x persimmon phi3 phi3_v phimoe pix2struct pixtral smolvlm stablelm step3_vl step3p5 umt5 vipllava voxtral voxtral_realtime xlm-roberta-xl',
  UdopTokenizer: 'udop',
  VideoPrismTokenizer: 'videoprism',
  VitsTokenizer: 'vits',
  Wav2Vec2CTCTokenizer: 'data2vec-audio hubert unispeech unispeech-sat wav2vec2 wav2vec2-bert wav2vec2-conformer',
  Wav2Vec2PhonemeCTCTokenizer: 'wav2vec2_phoneme',
  WhisperTokenizer: 'whisper',
  XGLMTokenizer: 'xglm',
  XLMRobertaTokenizer: 'gte jina_embeddings_v3 metaclip_2 trocr xlm-roberta xmod',
  XLMTokenizer: 'xlm',
  XLNetTokenizer: 'xlnet',
};

/** Types of models whose folders often name a class that is not theirs: the class of the type counts. */
export const mistakenModelTypes =
  'arctic camembertv2-base chameleon chatlm cohere_asr deepseek_ocr deepseek_ocr2 deepseek_v2 deepseek_v3 deepseek_v32 deepseek_v4 deepseek_vl ' +
  'deepseek_vl_hybrid deepseek_vl_v2 ernie4_5 ernie4_5_moe fuyu h2ovl_chat hyperclovax hyperclovax_vision_v2 hyperclovax_vlm internlm2 jamba janus llava ' +
  'llava_next minicpm3 minicpmv minimax_m2 modernbert modernbert-decoder molmo molmo2 nemotron nvfp4 opencua openvla paddleocr_vl phi3 phi3_v phimoe ' +
  'qwen2 qwen3_5 qwen3_5_moe qwen3_5_moe_text qwen4_exp smolvlm step3_vl step3p5 vipllava';

/** Types of models that the reference library has no configuration for: their class is taken only where a file names another. */
export const typesWithoutConfiguration =
  'arctic barthez bartpho bert-japanese bertweet byt5 camembertv2-base chatlm code_llama cpm deepseek_ocr deepseek_vl_v2 h2ovl_chat herbert ' +
  'hyperclovax_vlm internlm2 mbart50 mega minicpmv mluke molmo molmo2 myt5 nezha nllb nvfp4 opencua openvla phi3_v phobert qdqbert realm retribert ' +
  'step3_vl wav2vec2_phoneme';

/** Other names of classes. */
export const classAliases =
  'BartTokenizer=RobertaTokenizer BloomTokenizer=TokenizersBackend ElectraTokenizer=BertTokenizer LEDTokenizer=RobertaTokenizer ' +
  'LayoutLMTokenizer=BertTokenizer LongformerTokenizer=RobertaTokenizer LxmertTokenizer=BertTokenizer MobileBertTokenizer=BertTokenizer ' +
  'MvpTokenizer=RobertaTokenizer Phi3Tokenizer=LlamaTokenizer SqueezeBertTokenizer=BertTokenizer';

/** Classes that are programs of their own in the reference library, and no tokenizer.json describes. */
export const classesOfTheirOwn =
  'BartphoTokenizer BasicTokenizer BertGenerationTokenizer BertJapaneseTokenizer BertTokenizerLegacy BertweetTokenizer BioGptTokenizer ' +
  'BlenderbotSmallTokenizer ByT5Tokenizer CTRLTokenizer CanineTokenizer CharacterTokenizer ClvpTokenizer CpmAntTokenizer CpmTokenizer DiaTokenizer ' +
  'EsmTokenizer FSMTTokenizer FastSpeech2ConformerTokenizer FlaubertTokenizer GPTNeoXJapaneseTokenizer GPTSw3Tokenizer M2M100Tokenizer MarianTokenizer ' +
  'MecabTokenizer MgpstrTokenizer MistralCommonBackend MyT5Tokenizer PLBartTokenizer PerceiverTokenizer PhobertTokenizer Pop2PianoTokenizer ' +
  'PreTrainedTokenizerBase ProphetNetTokenizer RagTokenizer RoCBertTokenizer RoFormerTokenizer SentencePieceBackend SiglipTokenizer Speech2TextTokenizer ' +
  'SpeechT5Tokenizer TapasTokenizer VitsTokenizer Wav2Vec2CTCTokenizer Wav2Vec2PhonemeCTCTokenizer WordpieceTokenizer XLMTokenizer';

/** Settings of tokenizer_config.json that a class of the reference library knows, or that change no token. */
export const knownSettings =
  'add_blank add_prefix_space added_tokens_decoder additional_special_tokens auto_map backend cell_trim_length chat_template clean_text ' +
  'clean_up_tokenization_spaces cls_token_box device_map do_basic_tokenize do_clean_text do_lower_case do_lowercase do_lowercase_and_remove_accent ' +
  'do_phonemize do_split_on_punc do_subword_tokenize do_upper_case do_word_tokenize emoji_file entity_token_1 entity_token_2 entity_vocab errors ' +
  'extra_ids extra_special_tokens fast_tokenizer_files files_loaded generator id2lang init_inputs is_local is_uroman jumanpp_kwargs keep_accents lang2id ' +
  'lang_codes langs language language_codes legacy legacy_behaviour local_files_only mask_token_sent max_column_id max_depth max_entity_length ' +
  'max_input_chars_per_word max_len max_length max_mention_length max_question_length max_row_id max_seq_length max_width mecab_dic mecab_kwargs ' +
  'mecab_option merges merges_file min_question_length model_input_names model_max_length model_specific_special_tokens monolingual_vocab_file ' +
  'name_or_path never_split normalization normalize normalize_text normalizer_file num_madeup_words offset only_label_first_subword pad_to_multiple_of ' +
  'pad_token_box pad_token_label pad_token_type_id pad_width padding padding_side phonemize phonemizer_backend phonemizer_lang predict_timestamps ' +
  'processor_class question_encoder remove_space replace_word_delimiter_char response_schema response_template return_token_type_ids sep_token_box ' +
  'separate separate_vocabs should_strip_spaces source_lang source_spm sp_model_kwargs spaces_between_special_tokens special_tokens_map_file ' +
  'split_by_punct split_special_tokens spm_file src_lang src_vocab_file stride strip_accents strip_column_names subword_tokenizer_type sudachi_kwargs ' +
  'tags_dict target_lang target_spm target_vocab_file task tgt_lang tgt_vocab_file token_type_ids_pattern tokenize_chinese_chars tokenizer_class ' +
  'tokenizer_file tokenizer_type transformers_version trim_offsets truncation truncation_side truncation_strategy unk_id update_answer_coordinates ' +
  'use_default_system_prompt use_fast verbose vocab vocab_file word_pronunciation_file word_shape_file word_tokenizer_type wordpieces_prefix';

/** Language codes of mBART. */
export const mbartLanguages =
  'ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN';

/** Language codes of mBART-50. */
export const mbart50Languages =
  'ar_AR cs_CZ de_DE en_XX es_XX et_EE fi_FI fr_XX gu_IN hi_IN it_IT ja_XX kk_KZ ko_KR lt_LT lv_LV my_MM ne_NP nl_XX ro_RO ru_RU si_LK tr_TR vi_VN zh_CN ' +
  'af_ZA az_AZ bn_IN fa_IR he_IL hr_HR id_ID ka_GE km_KH mk_MK ml_IN mn_MN mr_IN pl_PL ps_AF pt_XX sv_SE sw_KE ta_IN te_IN th_TH tl_XX uk_UA ur_PK xh_ZA ' +
  'gl_ES sl_SI';

/** Language codes of NLLB. */
export const nllbLanguages =
  'ace_Arab ace_Latn acm_Arab acq_Arab aeb_Arab afr_Latn ajp_Arab aka_Latn amh_Ethi apc_Arab arb_Arab ars_Arab ary_Arab arz_Arab asm_Beng ast_Latn ' +
  'awa_Deva ayr_Latn azb_Arab azj_Latn bak_Cyrl bam_Latn ban_Latn bel_Cyrl bem_Latn ben_Beng bho_Deva bjn_Arab bjn_Latn bod_Tibt bos_Latn bug_Latn ' +
  'bul_Cyrl cat_Latn ceb_Latn ces_Latn cjk_Latn ckb_Arab crh_Latn cym_Latn dan_Latn deu_Latn dik_Latn dyu_Latn dzo_Tibt ell_Grek eng_Latn epo_Latn ' +
  'est_Latn eus_Latn ewe_Latn fao_Latn pes_Arab fij_Latn fin_Latn fon_Latn fra_Latn fur_Latn fuv_Latn gla_Latn gle_Latn glg_Latn grn_Latn guj_Gujr ' +
  'hat_Latn hau_Latn heb_Hebr hin_Deva hne_Deva hrv_Latn hun_Latn hye_Armn ibo_Latn ilo_Latn ind_Latn isl_Latn ita_Latn jav_Latn jpn_Jpan kab_Latn ' +
  'kac_Latn kam_Latn kan_Knda kas_Arab kas_Deva kat_Geor knc_Arab knc_Latn kaz_Cyrl kbp_Latn kea_Latn khm_Khmr kik_Latn kin_Latn kir_Cyrl kmb_Latn ' +
  'kon_Latn kor_Hang kmr_Latn lao_Laoo lvs_Latn lij_Latn lim_Latn lin_Latn lit_Latn lmo_Latn ltg_Latn ltz_Latn lua_Latn lug_Latn luo_Latn lus_Latn ' +
  'mag_Deva mai_Deva mal_Mlym mar_Deva min_Latn mkd_Cyrl plt_Latn mlt_Latn mni_Beng khk_Cyrl mos_Latn mri_Latn zsm_Latn mya_Mymr nld_Latn nno_Latn ' +
  'nob_Latn npi_Deva nso_Latn nus_Latn nya_Latn oci_Latn gaz_Latn ory_Orya pag_Latn pan_Guru pap_Latn pol_Latn por_Latn prs_Arab pbt_Arab quy_Latn ' +
  'ron_Latn run_Latn rus_Cyrl sag_Latn san_Deva sat_Beng scn_Latn shn_Mymr sin_Sinh slk_Latn slv_Latn smo_Latn sna_Latn snd_Arab som_Latn sot_Latn ' +
  'spa_Latn als_Latn srd_Latn srp_Cyrl ssw_Latn sun_Latn swe_Latn swh_Latn szl_Latn tam_Taml tat_Cyrl tel_Telu tgk_Cyrl tgl_Latn tha_Thai tir_Ethi ' +
  'taq_Latn taq_Tfng tpi_Latn tsn_Latn tso_Latn tuk_Latn tum_Latn tur_Latn twi_Latn tzm_Tfng uig_Arab ukr_Cyrl umb_Latn urd_Arab uzn_Latn vec_Latn ' +
  'vie_Latn war_Latn wol_Latn xho_Latn ydd_Hebr yor_Latn yue_Hant zho_Hans zho_Hant zul_Latn';

/** Language codes of M2M100. */
export const m2m100Languages =
  'af am ar ast az ba be bg bn br bs ca ceb cs cy da de el en es et fa ff fi fr fy ga gd gl gu ha he hi hr ht hu hy id ig ilo is it ja jv ka kk km kn ko ' +
  'lb lg ln lo lt lv mg mk ml mn mr ms my ne nl no ns oc or pa pl ps pt ro ru sd si sk sl so sq sr ss su sv sw ta th tl tn tr uk ur uz vi wo xh yi yo zh ' +
  'zu';

/** Language codes of the M2M100 of WMT 21. */
export const wmt21Languages = 'en ha is ja cs ru zh de';
